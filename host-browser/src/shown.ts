// Others' words in ours: a path or a folder's name must not say more than what it is.

/** More than anybody reads. */
const LONGEST = 160;

/** Controls, line breaks, what is not seen, what turns the text around it, and halves of characters. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu;

/** Parts of letters and of pictures, harmless between them: they are of the class of what is not seen. */
const JOINERS = /(?<=[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])[\u200c\u200d](?=[\p{L}\p{Extended_Pictographic}])/gu;

/** What is written from right to left: it could take what stands beside it along. */
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

/** A path or a name as it can be shown: harmful characters by their numbers, the middle of what is too long left out. */
export function shown(text: string): string {
  const joined = new Set([...text.matchAll(JOINERS)].map(({ index }) => index));
  const plain = text.replace(HARMFUL, (character, index: number) =>
    joined.has(index) ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
  const characters = [...plain];
  const short =
    characters.length <= LONGEST ? plain
    : `${characters.slice(0, LONGEST / 2).join("")}…${characters.slice(-LONGEST / 2).join("")}`;
  return RIGHT_TO_LEFT.test(short) ? `\u2066${short}\u2069` : short;
}
