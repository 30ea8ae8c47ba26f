"""What the app says around its screens: enrolment, the PIN, the queue, a new version. Keys are the scripts'; holes are {named}."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from . import words

WORDS: dict[str, str | Promise] = {
    "gate.name": _("连心桥 · 网格"),
    "gate.failed": _("没有成功，请再试一次。手机里的东西都在。"),
    "gate.broken": _("打不开。手机里存的东西没有动，请重新打开；还不行，请找网格长。"),
    "gate.again": _("再试一次"),
    "enrol.first": _("第一次用要联网登录一次。以后没有网络也能打开。"),
    "enrol.sign_in": _("去登录"),
    "enrol.offline": _("现在没有网络。第一次登记手机要联网，请到有信号的地方再试。"),
    "enrol.impossible": _("这个浏览器不能安全地保存资料：请用系统自带的新版浏览器，并用 https 开头的网址打开。"),
    "enrol.hello": _("{name}，把这部手机登记成您的工作手机，再设一个解锁码。"),
    "enrol.device": _("这部手机叫什么"),
    "enrol.device_name": _("{name}的手机"),
    "enrol.device_needed": _("请给这部手机起个名字，丢了好认出来停用。"),
    "enrol.pin": _("解锁码"),
    "enrol.pin_help": _("至少六位数字，别用生日和电话号码。忘了找不回来，手机里没发出去的就看不到了。"),
    "enrol.pin_again": _("再输一遍"),
    "enrol.do": _("登记这部手机"),
    "pin.short": _("解锁码至少要六位数字。"),
    "pin.digits": _("解锁码只能用数字。"),
    "pin.trivial": _("这个解锁码太容易猜到，请换一个。"),
    "pin.differ": _("两次输的不一样，请再输一遍。"),
    "pin.change": _("换解锁码"),
    "pin.old": _("现在的解锁码"),
    "pin.new": _("新的解锁码"),
    "pin.changed": _("解锁码换好了，下次用新的。"),
    "pin.cancel": _("不换了"),
    "finger.do": _("用指纹或面容解锁"),
    "finger.hello": _("先输一次解锁码，再按手机的提示录指纹或面容。解锁码仍然有效。"),
    "finger.set": _("下次可以用指纹或面容打开。"),
    "finger.dropped": _("不再用指纹或面容，只用解锁码。"),
    "finger.unable": _("没有设成：这部手机或浏览器不支持，或者您没有同意。请继续用解锁码。"),
    "finger.unlock": _("用指纹或面容打开"),
    "finger.failed": _("指纹或面容没有通过，请输解锁码。"),
    "install.offer": _("把这个应用装到桌面，打开更快，资料也更不容易被清掉。"),
    "install.do": _("装到桌面"),
    "install.later": _("以后再说"),
    "unlock.pin": _("解锁码"),
    "unlock.do": _("打开"),
    "unlock.wrong": _("解锁码不对。"),
    "unlock.wait": _("输错的次数多了，请等 {n} 秒再试。"),
    "unlock.unsent": _("这部手机里还有 {n} 件没有发送，打开后会接着发。"),
    "unlock.forgotten": _("忘了解锁码？"),
    "unlock.forgotten_help": _("解锁码只在您心里，谁也找不回来。可以清空这部手机重新登记，但没有发送的就没有了。"),
    "unlock.begin_anew": _("清空，重新登记"),
    "leave.title": _("退出并清空这部手机"),
    "leave.nothing": _("所有的都已发送。退出后，这部手机里的资料会全部清掉，下次要重新登记。"),
    "leave.locked": _("这部手机里的资料会全部清掉，下次要联网重新登记。"),
    "leave.waits": _("还有 {n} 件没有办完发送，现在不能退出。请先到有网络的地方发完。"),
    "leave.sure": _("真的要丢掉吗？"),
    "leave.lost": _("{n} 件没有发送的会永远丢失，照片也找不回来。"),
    "leave.stay": _("不退出"),
    "leave.do": _("退出并清空"),
    "leave.although": _("仍要退出"),
    "leave.destroy": _("丢掉，退出"),
    "store.space_full": _("手机的存储空间不够，这一件还没有保存。请先把未发送的发出去，或删掉手机里别的东西，再保存一次。"),
    "store.write_failed": _("手机没能写进去，这一件还没有保存。请再试一次；还不行，重启手机。"),
    "store.locked": _("已经锁上了，这一件还没有保存。请先解锁。"),
    "store.scarce": _("手机的存储空间快满了。请尽快联网发送，或删掉手机里别的东西。"),
    "sync.shut_out": _("这部手机已被停用，发不出去了。没有发送的还锁在手机里，没有丢。请联系网格长。"),
    "sync.closed": _("您的账号已停用，发不出去了。没有发送的还锁在手机里，没有丢。请联系网格长。"),
    "sync.file_lost": _("这一件的照片在手机里读不出来了，请重拍一张再发。"),
    "sync.unknown": _("系统里没有这部手机了。登记一次就能接着发，没有发送的都在。"),
    "sync.enrol_again": _("重新登记"),
    "enrol.another": _("这部手机里还有{name}没有发送的内容，请用{name}的账号登录。"),
    "update.ready": _("有新版本。更新不会动未发送的。"),
    "update.do": _("更新"),
    "update.elsewhere": _("另一个窗口已经换成新版本，请重新打开这一页。未发送的都在。"),
    "update.reload": _("重新打开"),
}


def every() -> dict[str, str | Promise]:
    """All sentences of the app, this module's and the screens'."""
    return {**words.WORDS, **WORDS}
