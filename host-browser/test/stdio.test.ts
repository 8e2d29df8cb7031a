import { expect, it } from "vitest";
import { stdio } from "../src/stdio.js";

const bytes = (text: string) => new TextEncoder().encode(text);

it("reads text, streams and whatever comes in time, to the end", async () => {
  async function* later() {
    yield "a";
    yield bytes("b");
  }
  const stream = new Blob(["ab"]).stream();
  for (const input of ["ab", bytes("ab"), stream, later()]) {
    const { read } = stdio(input, () => {}, () => {});
    let all = "";
    for (let chunk = await read(); chunk; chunk = await read()) all += new TextDecoder().decode(chunk);
    expect(all).toBe("ab");
  }
});

it("leaves a stream to the next run, with what is left in it", async () => {
  const stream = new ReadableStream<Uint8Array>({
    pull: (lines) => lines.enqueue(bytes("line\n")),
  });
  for (let run = 0; run < 2; run++) {
    const { read, close } = stdio(stream, () => {}, () => {});
    expect(new TextDecoder().decode((await read())!)).toBe("line\n");
    await close();
    expect(stream.locked).toBe(false);
  }
});

it("does not break a character that was written in two parts", async () => {
  let text = "";
  const { write, close } = stdio("", (more) => void (text += more), () => {});
  const [first, second] = [bytes("é").subarray(0, 1), bytes("é").subarray(1)];
  await write(1, first);
  await write(1, second);
  await close();
  expect(text).toBe("é");
});
