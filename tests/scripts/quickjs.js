// QuickJS's users in a folder; README.md says what is common to all interpreters.
//
// Leaves nothing besides.
import * as os from "qjs:os";
import * as std from "qjs:std";

const ok = (fact) => print(`ok ${fact}`);

const same = (expected, value) => {
  if (JSON.stringify(value) !== JSON.stringify(expected)) {
    throw new Error(`${JSON.stringify(value)} is not ${JSON.stringify(expected)}`);
  }
};

/** What a call of `os` gave, or its error: it answers with a value and a code, or with a negative code. */
const done = (answer) => {
  const [value, code] = Array.isArray(answer) ? answer : [undefined, -answer];
  if (code) throw Object.assign(new Error(std.strerror(code)), { errno: code });
  return value;
};

const list = (path) => done(os.readdir(path)).filter((name) => name !== "." && name !== "..").sort();

const write = (path, text, mode = "w") => {
  const file = std.open(path, mode);
  file.puts(text);
  file.close();
};

const exists = (path) => os.stat(path)[1] === 0;

const fails = (code, action) => {
  try {
    action();
  } catch (error) {
    same(code, error.errno);
    return;
  }
  throw new Error("it did not fail");
};

same(["input.csv"], list("/local"));
ok("list");

const [, ...rows] = std.loadFile("/local/input.csv").trim().split("\n");
const people = rows.map((row) => row.split(",")).map(([name, age]) => [name, Number(age)]);
same([["ada", 36], ["grace", 45]], people);
ok("read");

write("/local/notes.txt", "one\n");
write("/local/people.json", JSON.stringify(people));
same("one\n", std.loadFile("/local/notes.txt"));
ok("write");

write("/local/notes.txt", "two\n", "a");
same("one\ntwo\n", std.loadFile("/local/notes.txt"));
ok("append");

write("/local/notes.txt", "O", "r+");
same("One\ntwo\n", std.loadFile("/local/notes.txt"));
ok("update");

const status = done(os.stat("/local/notes.txt"));
same([os.S_IFREG, 8], [status.mode & os.S_IFMT, status.size]);
same(os.S_IFDIR, done(os.stat("/local")).mode & os.S_IFMT);
ok("stat");

done(os.mkdir("/local/folder"));
done(os.mkdir("/local/folder/inner"));
same(["inner"], list("/local/folder"));
ok("make-directories");

done(os.rename("/local/notes.txt", "/local/folder/inner/moved.txt"));
same(false, exists("/local/notes.txt"));
same("One\ntwo\n", std.loadFile("/local/folder/inner/moved.txt"));
ok("rename");

fails(std.Error.ENOENT, () => std.open("/local/notes.txt", "r") ?? done(-std.Error.ENOENT));
ok("missing");

const ENOTEMPTY = 55; // as WASI counts; `std.Error` does not name it
fails(ENOTEMPTY, () => done(os.remove("/local/folder")));
ok("not-empty");

write("/local/gone.txt", "");
done(os.remove("/local/gone.txt"));
same(["folder", "input.csv", "people.json"], list("/local"));
ok("remove");

done(os.mkdir("/local/gone"));
done(os.remove("/local/gone"));
same(false, exists("/local/gone"));
ok("remove-directories");

// Descriptors, as `os` has them: bytes at a place, in an ArrayBuffer.
const file = os.open("/local/people.json", os.O_RDONLY);
const buffer = new ArrayBuffer(5);
same(3, os.seek(file, 3, std.SEEK_SET));
same(5, os.read(file, buffer, 0, 5));
done(os.close(file));
same('ada",', String.fromCharCode(...new Uint8Array(buffer)));
ok("descriptors");

done(os.utimes("/local/people.json", 1e12, 1e12));
same(1e12, done(os.stat("/local/people.json")).mtime);
ok("utimes");

same(people, JSON.parse(std.loadFile("/local/people.json")));
ok("json");
