"""Conversations with a debugger: fuzz_rsp.c says what the first letter picks."""

GDB = """
qSupported:multiprocess+;xmlRegisters=i386
vMustReplyEmpty
QStartNoAckMode
Hg0
qXfer:features:read:target.xml:0,1000
qTStatus
?
qXfer:threads:read::0,1000
qAttached
Hc-1
qOffsets
g
mffffffff80001000,40
p1
P1=00
vCont;c
c
D
""".split()

LLDB = """
qSupported:xmlRegisters=i386,arm,mips,arc;multiprocess+
QThreadSuffixSupported
qHostInfo
vCont?
QEnableErrorStrings
qProcessInfo
?
qfThreadInfo
qsThreadInfo
qThreadStopInfo189ef
Hg189ef
p10
x0,0
xffffffff80002ff0,200
jThreadsInfo
M0,1:00
g
Hc189ef
s
qThreadExtraInfo,189ee
T189ee
k
""".split()

ODD = """
A1
!
qSymbol::
qShlibInfoAddr
qCx
qSupporte
qThreadStopInfo189ed
qThreadExtraInfo,1
qThreadExtraInfo
T80000002
T2
T
Tp1.1
Hg-1
Hg5
Hg189ef;
Hgp1.189ef
Hg000000000000189ef
Hg00000000000189ef
Hc5
Hx0
Hg80000002
qC
p10
p0
p28
p27
pffffffffffffffff
p
p1;thread:189ee;
g
g0
Hg189ef
mFFFFFFFF80001001,1
mffffffff80002ffe,10
mfffffffffffffffe,10
mffffffff80000fff,2
mffffffff80001000,0
mffffffff80001000
mffffffff80001000,
mffffffff80001000,ffffffffffffffff
m,4
m-1,4
mffffffff80001000,4:
xffffffff80001000,ffffffffffffffff
x1000,4
x1000
qXfer:features:read:core.xml:0,100
qXfer:auxv:read::0,100
qXfer
qXfer:
qXfer:features:write:target.xml:0:x
qXfer:threads:read::0
qXfer:threads:read::,1
qXfer:threads:read::0;1
qXfer:threads:read::0,
qXfer:threads:read::0,1,
qXfer:threads:read::0,5
qXfer:threads:read::5,9
qXfer:threads:read::ffff,9
qXfer:threads:read::ffffffffffffffff,ffffffffffffffff
qRcmd,6869
qRcmd,4A4a
qRcmd,
qRcmd,6661696c
qRcmd,6c6f6e67
qRcmd
qRcmd,686
qRcmd,hi
qRcmd,6h
qRcmd,680069
qRcmd,10
G00
X0,1:z
Z0,0,1
z0,0,1
C05
S05
R00
vRun;
vAttach;1
vCont;c
vKill;1
""".split() + [b"qRcmd," + b"61" * 256, b"", b"QEnableErrorStrings:1", b"m}\3,1", b"}"]


def packet(text):
    if isinstance(text, str):
        text = text.encode()
    return b"$%s#%02x" % (text, sum(text) % 256)


def talk(machine, packets, acks=b"+"):
    return machine + acks.join(packet(text) for text in packets)


def rows(_):
    for machine in (b"d", b"e", b"f", b"g", b"h", b"D", b"E"):
        yield talk(machine, GDB)
        yield talk(machine, LLDB)
        yield talk(machine, ODD)
        yield talk(machine, ["QEnableErrorStrings", *ODD])
    yield talk(b"d", ["qRcmd,6c6f6e67"] * 3 + ["QStartNoAckMode", *ODD], b"")
    yield talk(b"d", GDB, b"-")
    # What is no packet, and what is in the wrong place.
    yield b"f$qC#00-$qC#b4-$g$g#67}\3$x},}]#00"
    yield b"d\3\3$qC#zz$qC#b$qC#b4##$$"
    yield b"d$" + b"x" * 70000 + b"#00" + packet("?")
    yield b"d$" + b"x" * 70000 + b"#%02x" % (sum(b"x" * 70000) % 256) + packet("?")
    yield b"d$m}" + b"\3" * 3 + b"#00+$qC#B4+$qC#b4"
