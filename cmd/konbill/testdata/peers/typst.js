// The peer typst: typst.js FOLDER OUT. worker.go says what it is asked.
//
// Tuned: the compiler and the cut faces stay in the process, so that no slip
// pays for a start. Its caches are emptied before each round, which would else
// find every page drawn already, and now and then on the way, as a long batch
// must.

import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

import { NodeCompiler } from '@myriaddreamin/typst-ts-node-compiler';

const [folder, out] = process.argv.slice(2);

const pages = JSON.parse(fs.readFileSync(path.join(folder, 'pages.json'), 'utf8'));
const compiler = NodeCompiler.create({ workspace: folder, fontArgs: [{ fontPaths: [folder] }] });

// Every length is in points, from the upper left. A code is one path of
// rectangles, like in the other files.
const template = `
#let page-of = json(bytes(sys.inputs.page))
#let height = 841.89
#let ink(c) = rgb(..c.map(part => int(calc.round(part * 255))))
#set page(width: 595.28pt, height: height * 1pt, margin: 0pt)
#set text(font: "BIZ UDPGothic", top-edge: "baseline", bottom-edge: "baseline", cjk-latin-spacing: none, lang: "ja", kerning: false)
#for p in page-of.paths {
  place(top + left, curve(fill: ink(p.colour), ..p.areas.map(((x, y, w, h)) => (
    curve.move((x * 1pt, (height - y) * 1pt)),
    curve.line((w * 1pt, 0pt), relative: true),
    curve.line((0pt, -h * 1pt), relative: true),
    curve.line((-w * 1pt, 0pt), relative: true),
    curve.close(mode: "straight"),
  )).flatten()))
}
#for l in page-of.lines {
  place(top + left, dx: l.x * 1pt, dy: (height - l.y) * 1pt,
    text(size: l.size * 1pt, weight: l.face, fill: ink(l.colour), box(width: 600pt, l.text)))
}
#for l in page-of.links {
  let (x, y, w, h) = l.area
  place(top + left, dx: x * 1pt, dy: (height - y - h) * 1pt, link(l.address, box(width: w * 1pt, height: h * 1pt)))
}
`;

const inputs = pages.map((page) => ({ page: JSON.stringify(page) }));

function draw(i) {
  const file = compiler.pdf({ mainFileContent: template, inputs: inputs[i] });
  if (i % 50 === 49) compiler.evictCache(10);
  return file;
}

console.log('ready');
let files = [];
for await (const order of readline.createInterface({ input: process.stdin })) {
  compiler.evictCache(0);
  const begun = performance.now();
  if (order === 'draw') {
    files = pages.map((_, i) => draw(i));
  } else {
    files.forEach((data, i) => fs.writeFileSync(path.join(out, i + '.pdf'), data));
  }
  console.log((performance.now() - begun) / 1000);
}
