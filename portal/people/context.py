from __future__ import annotations


def surroundings(request):
    return {}
