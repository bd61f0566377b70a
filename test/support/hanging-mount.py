"""python3 hanging-mount.py FOLDER CALL:NAME …: mounts a.csv, sub/b.csv, sub/c.csv and a link on FOLDER, by FUSE and without a library (root,
Linux). The calls that are named (lookup, getattr, opendir, readlink, read) are never answered: a process that makes one waits in the
kernel and cannot be killed before this program ends, which is what a file server does that is gone."""
import ctypes
import os
import struct
import sys

folder, hanging = sys.argv[1], set(sys.argv[2:])
OLD = 1735787045
DIR, FILE, LINK = 0o040755, 0o100644, 0o120777
# number: (name, parent, mode, content)
TREE = {
    1: ("", 1, DIR, b""),
    2: ("a.csv", 1, FILE, b"one"),
    3: ("sub", 1, DIR, b""),
    4: ("b.csv", 3, FILE, b"two"),
    5: ("c.csv", 3, FILE, b"three"),
    6: ("link.csv", 1, LINK, b"sub/c.csv"),
}

libc = ctypes.CDLL(None, use_errno=True)
device = os.open("/dev/fuse", os.O_RDWR)
options = b"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % device
if libc.mount(b"hanging", folder.encode(), b"fuse", 0, options) != 0:
    sys.exit("cannot mount: " + os.strerror(ctypes.get_errno()))


def attributes(node):
    _, _, mode, content = TREE[node]
    times = (OLD, OLD, OLD, 0, 0, 0)
    return struct.pack("<QQQQQQIIIIIIIIII", node, len(content), 1, *times, mode, 1, 0, 0, 0, 4096, 0)


def listing(node, offset):
    out = b""
    for at, (number, (name, parent, mode, _)) in enumerate(TREE.items()):
        if parent == node and number != node and at >= offset:
            raw = name.encode()
            out += struct.pack("<QQII", number, at + 1, len(raw), mode >> 12) + raw.ljust(-(-len(raw) // 8) * 8, b"\0")
    return out


def answer(call, node, body):
    if call == "init":
        return struct.pack("<IIIIHHIIHH8I", 7, 31, 0, 0, 12, 10, 1 << 17, 1, 1, 0, *[0] * 8)
    if call == "lookup":
        name = body.rstrip(b"\0").decode()
        for number, (other, parent, _, _) in TREE.items():
            if parent == node and other == name and number != 1:
                return struct.pack("<QQQQII", number, 0, 0, 0, 0, 0) + attributes(number)
        return 2
    if call == "getattr":
        return struct.pack("<QII", 0, 0, 0) + attributes(node)
    if call in ("open", "opendir"):
        return struct.pack("<QII", 0, 0, 0)
    if call == "readlink":
        return TREE[node][3]
    if call in ("read", "readdir"):
        _, offset, size = struct.unpack("<QQI", body[:20])
        return TREE[node][3][offset : offset + size] if call == "read" else listing(node, offset)
    return b"" if call in ("release", "releasedir", "flush", "access") else 38


CALLS = {1: "lookup", 2: "forget", 3: "getattr", 5: "readlink", 14: "open", 15: "read", 18: "release", 25: "flush",
         26: "init", 27: "opendir", 28: "readdir", 29: "releasedir", 34: "access", 36: "interrupt", 42: "forget"}

print("mounted", flush=True)
while True:
    try:
        request = os.read(device, 1 << 20)
    except OSError as error:
        if error.errno == 19:
            break
        continue
    _, opcode, unique, node = struct.unpack("<IIQQ", request[:24])
    call, body = CALLS.get(opcode, "?"), request[40:]
    name = body.rstrip(b"\0").decode() if call == "lookup" else TREE.get(node, ("",))[0]
    if f"{call}:{name}" in hanging:
        print("hangs", flush=True)
        continue
    if call in ("forget", "interrupt"):
        continue
    said = answer(call, node, body)
    error, said = (-said, b"") if isinstance(said, int) else (0, said)
    os.write(device, struct.pack("<IiQ", 16 + len(said), error, unique) + said)
