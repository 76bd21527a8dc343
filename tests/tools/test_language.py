#!/usr/bin/python3
"""test_language.py - people are spoken to in the environment's language, all of it."""
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BUILD = Path(os.environ.get("builddir", ".")).resolve()
SOURCE = Path(os.environ.get("srcdir", ".")).resolve()
ENV = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PARKBUS"))}
ENV["PARKBUS_LOCALEDIR"] = str(BUILD / "locale")
CHINESE = {"LC_ALL": "C.UTF-8", "LANGUAGE": "zh_CN"}
made = broken = 0


def promise(kept, text, got=""):
    global made, broken
    made += 1
    broken += not kept
    print("ok" if kept else "not ok", made, "-", text)
    if not kept:
        print("#", str(got).replace("\n", "\n# "))


def said(language, *words):
    """All that a program says."""
    done = subprocess.run([str(BUILD / words[0]), *words[1:]], env=dict(ENV, **language), timeout=30,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode()


with tempfile.TemporaryDirectory() as folder:
    wrong = Path(folder) / "parkbus.yaml"
    wrong.write_text(f"data_dir: {folder}/data\nlots:\n  north:\n    space: 30\n")
    site = Path(folder) / "site.yaml"
    site.write_text(f"data_dir: {folder}/data\nplugin_dir: {BUILD}/.libs\nlots:\n  north: {{}}\n")
    ROWS = (
        (("parkbusd", "--help"), "车场各程序与支付平台", "usage: parkbusd --config FILE"),
        (("parkbusd",), "请指明配置文件", "say which configuration to use"),
        (("parkbusd", "--check", "--config", str(wrong)), f"{wrong}:4:5: 未知的键 'space'", f"{wrong}:4:5: unknown key 'space'"),
        (("parkbus", "--help"), "用法：parkbus", "usage: parkbus [--config FILE"),
        (("parkbus", "--help"), "列出插件实例及其状态", "list the plugin instances"),
        (("parkbus", "sub", "--help"), "--from 序号|first|new", "--from SEQ|first|new"),
        (("parkbus", "sub", "--form=1"), "是否为 --from？", "did you mean --from?"),
        (("parkbus", "config", "check", "--config", str(wrong)), "未知的键 'space'", "unknown key 'space'"),
        (("parkbus", "verify", "cmb", "-", "--secret", "x"), "没有 sign", "there is no sign"),
        (("parkbus", "plugin", "show", "cmb", "--config", str(site)), "必填\n                   招行停车平台", "required\n                   the partner's secret"),
        (("parkbus-sim", "--help"), "模拟与车场对接的平台", "Plays the platforms"),
    )
    for words, chinese, english in ROWS:
        command = " ".join(words).replace(folder, "…")
        for language, wanted, name in (
                (CHINESE, chinese, "Chinese"),
                ({"LC_ALL": "C.UTF-8"}, english, "English without LANGUAGE"),
                ({"LC_ALL": "C", "LANGUAGE": "zh_CN"}, english, "English under LC_ALL=C")):
            got = said(language, *words)
            promise(wanted in got, f"{command}: {name}", got)

got = said(CHINESE, "parkbus", "plugin", "list", "--help")
promise("Project-Id" not in got and "[选项…] \n" in got, "a command without words does not show the catalogue's head", got)
got = said(CHINESE, "parkbus", "sub", "--help")
promise("  --url 端点           parkbusd" in got and "  --version            显示版本" in got,
        "explanations stand in one column, Chinese or not", got)


# The sandbox has a table of its own and goes by the same rule.
def words(language):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        os.environ.pop(name, None)
    os.environ.update(language)
    spec = importlib.util.spec_from_file_location("words", SOURCE / "tools/sandbox/words.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sys.dont_write_bytecode = True
for language, chinese in (({"LANG": "zh_CN.UTF-8"}, True), ({"LANG": "zh_CN"}, True), (CHINESE, True),
                          ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, True),
                          ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, False),
                          ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en"}, False),
                          ({"LC_ALL": "C", "LANGUAGE": "zh_CN"}, False), ({}, False)):
    promise(words(language).say("ending").startswith("正在" if chinese else "ending"),
            f"the sandbox speaks {'Chinese' if chinese else 'English'} with {language or 'nothing set'}")
table = words({}).WORDS
promise(not [key for key, pair in table.items() if len(pair) != 2 or not all(pair)], "the sandbox has both languages")

print(f"1..{made}")
sys.exit(1 if broken else 0)
