from __future__ import annotations


class _P:
    def as_json(self):
        return {}


def preview(workbook, fields, **how):
    return _P()
