"""words.py - what the sandbox says to people, in English and Chinese."""
import os

# As gettext has it: the locale decides, LANGUAGE only chooses where it is not plain C.
LOCALE = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "C")
CHINESE = LOCALE not in ("C", "POSIX") and (os.environ.get("LANGUAGE") or LOCALE).startswith("zh")

WORDS = {
    # --help
    "help_description": ("Plays a car park with its platforms, simulated. docs/sandbox.md says more.", "模拟一个车场及其对接的平台。详见 docs/sandbox.md。"),
    "help_once": ("play one day, print the sums and end: 0 when every fen is explained", "只模拟一天，输出汇总后结束：每一分钱都有解释则返回 0"),
    "help_quiet": ("the sums only", "只输出汇总"),
    "help_python": ("the sample programs in Python instead of those in C", "用 Python 版的示例程序，而不是 C 版"),
    "help_kill": ("kill -9 parkbusd N times a day", "每天对 parkbusd 执行 N 次 kill -9"),
    "help_cars": ("how many cars come, in percent of an ordinary day", "车流量，以平常日的百分比计"),
    "help_seed": ("another seed is another day", "换一个种子就是另一天"),
    "help_keep": ("keep the folder with data and logs", "保留数据和日志所在的文件夹"),
    # The programs
    "folder": ("everything of this sandbox lies in {folder}", "本次沙箱的全部文件在 {folder}"),
    "started": ("{name} runs as process {pid}", "{name} 已启动，进程号 {pid}"),
    "try_kill": ("try: kill -9 {pid}   (parkbusd is started again and the sums still agree)",
                 "试试：kill -9 {pid}   （parkbusd 会重新启动，账目仍然一致）"),
    "died": ("parkbusd (process {pid}) is gone; it is started again", "parkbusd（进程 {pid}）已消失，重新启动"),
    "killed": ("parkbusd (process {pid}) is killed with -9, to see what remains", "用 kill -9 结束 parkbusd（进程 {pid}），看数据是否完整"),
    "waiting": ("the day is over; waiting until the platform has heard everything ({what})", "当天结束，等待平台收到全部上报（{what}）"),
    "late": ("the platform has not heard everything after {seconds} s", "{seconds} 秒后平台仍未收到全部上报"),
    "ending": ("ending what was started", "正在结束已启动的程序"),
    "kept": ("{folder} is kept for a look", "保留 {folder} 供检查"),
    # A day
    "day": ("{day}: {cars} cars will come", "{day}：预计 {cars} 辆车"),
    "fault": ("the platform misbehaves: {what}", "平台开始异常：{what}"),
    "fault_over": ("the platform behaves again", "平台恢复正常"),
    "faults_slow": ("slow", "响应缓慢"),
    "faults_fail": ("500, repeats", "应答 500，重复推送"),
    "faults_close": ("close without a byte, lost answers to pay", "不应答就断开，丢失对 pay 的应答"),
    "faults_lost": ("lost answers, HTML, garbage", "丢失应答，返回 HTML 或乱码"),
    "in": ("{plate} comes in by {lane}", "{plate} 由 {lane} 入场"),
    "in_monthly": ("{plate} comes in by {lane}, a monthly card", "{plate} 由 {lane} 入场，月租车"),
    "in_bound": ("{plate} comes in by {lane}, bound to autopay at the bank", "{plate} 由 {lane} 入场，已在银行签约无感支付"),
    "in_plateless": ("a car without a plate comes in by {lane}: {plate}", "无牌车由 {lane} 入场：{plate}"),
    "at_exit": ("{plate} stands at {lane} and owes {due}", "{plate} 在 {lane} 等待，应付 {due}"),
    "paid_phone": ("{plate} pays {amount} by phone inside the car park", "{plate} 场内手机支付 {amount}"),
    "paid_scan": ("{plate} scans the code at {lane} and pays {amount}", "{plate} 在 {lane} 扫码支付 {amount}"),
    "paid_cash": ("{plate} pays {amount} in cash at {lane}", "{plate} 在 {lane} 支付现金 {amount}"),
    "paid_twice": ("{plate} pays {amount} by phone while the cashier takes it too", "{plate} 手机支付 {amount}，收费员同时也收了现金"),
    "out_paid": ("{plate} leaves by {lane}: {total} paid", "{plate} 由 {lane} 离场：已付 {total}"),
    "out_free": ("{plate} leaves by {lane} free of charge", "{plate} 由 {lane} 免费离场"),
    "out_contract": ("{plate} leaves by {lane} on its card", "{plate} 由 {lane} 凭月卡离场"),
    "out_escaped": ("{plate} follows another car out by {lane}: {total} unpaid", "{plate} 跟车由 {lane} 逃费离场：欠费 {total}"),
    "bind": ("{plate} is bound to autopay, up to {limit}", "{plate} 签约无感支付，限额 {limit}"),
    "unbind": ("{plate} is no longer bound", "{plate} 解除无感支付"),
    "corrected": ("{wrong} was misread: it is {plate}", "{wrong} 识别错误，更正为 {plate}"),
    "voided": ("{plate} had turned round at the barrier: the entry is void", "{plate} 在入口掉头离开，入场记录作废"),
    "stays": ("{plate} stays overnight", "{plate} 过夜停放"),
    "again": ("{plate}: no price yet ({why}), the driver scans again", "{plate}：暂时查不到费用（{why}），司机再次扫码"),
    # The sums
    "summary": ("{day}, summary", "{day} 汇总"),
    "no_differences": ("journal, platform and street agree to the fen", "日志、平台、街面三本账分毫不差"),
    "difference": ("{plate} {visit}: {what}", "{plate} {visit}：{what}"),
    "story": ("        its story: {line}", "        经过：{line}"),
    "violation": ("the platform complains: {endpoint} {record}: {sentence}", "平台报错：{endpoint} {record}：{sentence}"),
    "unexplained": ("unexplained fen: {fen}", "无法解释的金额（分）：{fen}"),
    "result_bad": ("{count} differences", "{count} 处不一致"),
    "took": ("{visits} visits in {seconds:.0f} s", "{visits} 次停车，用时 {seconds:.0f} 秒"),
    # Headings of the summary
    "entries": ("entries", "入场"), "exits": ("exits", "离场"), "quotes": ("quotes", "查费"), "payments": ("payments", "支付"),
    "bindings": ("bindings", "签约"), "refunds": ("refunds", "退款"),
    "lot": ("car park {name}", "车场 {name}"), "platform": ("platform {name}", "平台 {name}"), "desk": ("cash desk", "人工收费"),
    "escapes": ("escaped: {count} cars, {fen} owed", "逃费：{count} 辆，欠 {fen}"),
    "surplus": ("paid twice: {count} cars, {fen} too much, theirs to get back", "重复支付：{count} 辆，多收 {fen}，应退还"),
    "left_inside": ("still inside: {count} cars", "仍在场内：{count} 辆"),
}


def say(key, **values):
    return WORDS[key][CHINESE].format(**values)


def yuan(fen):
    """Integer fen as people write it."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}¥{fen // 100}.{fen % 100:02d}"
