"""What a disk may hold after a loss of power, out of the record of disk_recorder.cc.

Of a file, what was written before its last sync is there. Behind that each sector has the state that it had after some of
the writes since, the first of them: a write may be lost, whole, or torn between sectors, and a later one may be there without
an earlier one of another sector. The size is one that the file had since. Of a directory, entries made, renamed or removed
since its last sync may each be as before: a file whose directory was not synced may be gone with all its bytes.
"""

import os
import pathlib
import struct

OPEN, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, MKDIR, RMDIR, LINK, EXTEND = range(1, 11)
# Room kept back, without content; and a socket.
LEFT_OUT = {"reserve", "admin.sock"}


class File:
    def __init__(self, content=b""):
        self.durable = bytearray(content)
        self.pending = []  # (offset, bytes), or (size, None): truncated; (size, True): at least so large

    def sync(self):
        for at, change in self.pending:
            apply(self.durable, at, change)
        self.pending = []

    def after_crash(self, chance, sector, way):
        if not self.pending or way == "lost":
            return self.durable
        content = bytearray(self.durable)
        count = len(self.pending)
        if way == "some":
            # Of each sector, and of the size, so many writes are there.
            kept = {}
            size_kept = chance.choice([count, chance.randrange(count + 1)])
        else:
            kept = None
            size_kept = count
        size = len(content)
        for index, (at, change) in enumerate(self.pending):
            if kept is None:
                apply(content, at, change)
                continue
            end = at + len(change) if isinstance(change, bytes) else at
            if index < size_kept:
                size = at if change is None else max(size, end)
            if change is None:
                end = len(content)
            if len(content) < end:
                content.extend(bytes(end - len(content)))
            rest = memoryview(change) if isinstance(change, bytes) else None
            while at < end:
                number = at // sector
                border = min(end, (number + 1) * sector)
                if number not in kept:
                    kept[number] = chance.choice([0, count, chance.randrange(count + 1)])
                if index < kept[number]:
                    content[at:border] = bytes(border - at) if rest is None else rest[:border - at]
                rest = rest and rest[border - at:]
                at = border
        if kept is not None:
            del content[size:]
            content.extend(bytes(size - len(content)))
        return content


def apply(content, at, change):
    if change is None:
        del content[at:]
    end = at + len(change) if isinstance(change, bytes) else at
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if isinstance(change, bytes):
        content[at:end] = change


class Directory:
    def __init__(self):
        self.now, self.durable = {}, {}
        self.pending = []  # each: {name: entry or None}, what changes together

    def record(self, changes):
        self.pending.append(changes)
        for name, entry in changes.items():
            self.now.pop(name, None)
            if entry is not None:
                self.now[name] = entry

    def sync(self):
        self.durable, self.pending = dict(self.now), []

    def after_crash(self, chance, way):
        if way == "lost":
            changes = []
        elif way == "kept":
            changes = self.pending
        elif way == "first":
            changes = self.pending[:chance.randrange(len(self.pending) + 1)]
        else:
            changes = [change for change in self.pending if chance.random() < 0.5]
        entries = dict(self.durable)
        for change in changes:
            for name, entry in change.items():
                entries.pop(name, None)
                if entry is not None:
                    entries[name] = entry
        return entries


def load(path):
    """A directory as it is on the disk, all of it durable."""
    directory = Directory()
    for child in path.iterdir():
        if child.name in LEFT_OUT:
            continue
        directory.now[child.name] = load(child) if child.is_dir() else File(child.read_bytes())
    directory.durable = dict(directory.now)
    return directory


class Disk:
    """The files below `root` as the record goes on. `base` has what was there before, all of it durable."""

    def __init__(self, root, record, base):
        self.root = str(root)
        self.top = load(pathlib.Path(base))
        self.record = pathlib.Path(record).read_bytes()
        self.at = 0
        self.files = {}

    def positions(self):
        """The ends of all whole entries."""
        ends, at = [], 0
        while at + 4 <= len(self.record):
            at += 4 + struct.unpack_from("<I", self.record, at)[0]
            if at <= len(self.record):
                ends.append(at)
        return ends

    def play_to(self, position):
        """Up to the last entry that ends at or before `position`."""
        while self.at + 4 <= len(self.record):
            end = self.at + 4 + struct.unpack_from("<I", self.record, self.at)[0]
            if end > min(position, len(self.record)):
                return
            self.play(self.record[self.at + 4:end])
            self.at = end

    def find(self, path):
        """The directory and the name there; (None, name) for what is not ours."""
        names = [name for name in path[len(self.root):].split("/") if name]
        if names and names[0] in LEFT_OUT:
            return None, names[0]
        here = self.top
        for name in names[:-1]:
            here = here.now[name]
        return here, names[-1] if names else None

    def play(self, entry):
        kind = entry[0]
        if kind == OPEN:
            file, created, truncated = struct.unpack_from("<QBB", entry, 1)
            self.open(file, created, truncated, entry[11:].decode())
        elif kind == WRITE:
            file, offset = struct.unpack_from("<QQ", entry, 1)
            self.change(file, offset, entry[17:])
        elif kind in (TRUNCATE, EXTEND):
            file, size = struct.unpack_from("<QQ", entry, 1)
            self.change(file, size, None if kind == TRUNCATE else True)
        elif kind == SYNC:
            file, = struct.unpack_from("<Q", entry, 1)
            if self.files[file] is not None:
                self.files[file].sync()
        elif kind in (RENAME, LINK):
            size, = struct.unpack_from("<H", entry, 1)
            self.move(entry[3:3 + size].decode(), entry[3 + size:].decode(), keeps=kind == LINK)
        else:
            directory, name = self.find(entry[1:].decode())
            if directory is not None and (kind == MKDIR or name in directory.now):
                directory.record({name: Directory() if kind == MKDIR else None})

    def open(self, file, created, truncated, path):
        directory, name = self.find(path)
        self.files[file] = None
        if directory is None:
            return
        if created:
            directory.record({name: File()})
        self.files[file] = directory if name is None else directory.now[name]
        if truncated:
            self.change(file, 0, None)

    def change(self, file, at, change):
        if self.files[file] is not None:
            self.files[file].pending.append((at, change))

    def move(self, first, second, keeps):
        directory, name = self.find(first)
        other, new = self.find(second)
        # stdio made RocksDB's own log, which nobody needs.
        if name not in directory.now:
            return
        assert directory is other, f"{first} goes to another directory"
        entry = directory.now[name]
        directory.record({new: entry} if keeps else {name: None, new: entry})

    def crash(self, chance, target):
        """Writes what the power loss left to `target`. The disk itself stays as it is."""
        sector = chance.choice([512, 4096])
        files = chance.choice(["lost", "kept", "some", "some"])
        directories = chance.choice(["lost", "kept", "first", "any"])

        def put(directory, path):
            path.mkdir(mode=0o700)
            for name, entry in directory.after_crash(chance, directories).items():
                if isinstance(entry, Directory):
                    put(entry, path / name)
                else:
                    own = os.open(path / name, os.O_WRONLY | os.O_CREAT, 0o600)
                    with open(own, "wb") as out:
                        out.write(entry.after_crash(chance, sector, files))

        put(self.top, target)
        return f"files {files} by {sector} bytes, directories {directories}"
