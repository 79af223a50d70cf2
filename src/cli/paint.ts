// Colours. A painter that paints nothing stands for a pipe and for NO_COLOR.

export type Colour = 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'bold' | 'dim';

export type Paint = (colour: Colour | null, text: string) => string;

// ECMA-48, select graphic rendition: how to begin each, and how to end it.
const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
};

export const plain: Paint = (_colour, text) => text;

const coloured: Paint = (colour, text) => {
  if (colour === null || text === '') return text;
  const [begin, end] = CODES[colour];
  return `\u001b[${begin}m${text}\u001b[${end}m`;
};

export const painter = (colours: 'yes' | 'no'): Paint => (colours === 'yes' ? coloured : plain);
