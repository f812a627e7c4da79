"""What is printed; fuzz_print.c says what the first letter picks."""

from images import some_bytes

# UTF-8 of one to four bytes, and what looks like it.
CHARACTERS = [b"a", "\u00e9".encode(), "\u20ac".encode(), "\U0001f600".encode(),
              b"\xff", b"\xc3", b"\xe2\x82", b"\x80", b"\xf8\x88\x80\x80", b"\x1b[31m",
              "\u202e".encode(), b"\0", b"\n", b"\t", b"\r", b"\\"]
ROOM = 4096  # bytes that wait in struct text


def texts():
    yield b""
    yield b"".join(CHARACTERS)
    for character in CHARACTERS:
        yield character
        yield b"x" * 200 + character * 50
        # The last bytes for which there is room are a part of it.
        for less in range(5):
            yield b"x" * (ROOM - less) + character * 3
    yield b"\x80" * (ROOM + 100)
    yield some_bytes(ROOM * 3)


def traces():
    yield b""
    yield bytes(range(100))
    yield bytes(range(15)) * 20
    yield bytes(range(16)) * 20 + b"\1"
    yield bytes(range(17)) * 5
    yield b"\1\2" + b"\3\4" * 50 + b"\3\5" + b"\6" * 9
    yield b"\6" * 3 + b"\7" * 4 + b"\x87" * 5 + b"\6\7" * 6
    yield b"\1\2\3" * 2 + b"\1\2\1\2\3" * 4
    for count in range(12):
        yield b"\1" * count + b"\2"
        yield b"\1\2" * count + b"\3"


def rows(_):
    for text in texts():
        for kind in (b"t", b"u", b"j"):
            yield kind + text
    for trace in traces():
        yield b"f" + trace
