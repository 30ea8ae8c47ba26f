from django.apps import AppConfig


class BenchConfig(AppConfig):
    name = "lianxin.bench"
    label = "bench"
