import pytest
from django.test import Client
pytestmark=pytest.mark.django_db
@pytest.mark.parametrize("u",["/","/say/","/track/","/public/","/public/map/","/city/","/about/","/privacy/","/accessibility/","/public/places.geojson"])
def test_pages(world,u):
    r=Client().get(u); assert r.status_code==200
def test_way(world):
    c=Client(); r=c.get("/say/"); 
    r=c.post("/say/",{"submission":"x"*32,"words":"花园社区路灯坏了","step":"send","go":"submit","phone":"13812342201"},follow=True)
    assert r.status_code==200; print(r.content.decode()[:6000])
    r=c.get("/mine/"); assert r.status_code==200
    for a in ("add","withdraw","publish","rate"): assert c.get(f"/mine/{a}/").status_code==200
