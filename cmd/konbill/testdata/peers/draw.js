// The peer pdfkit: draw.js FOLDER OUT. worker.go says what it is asked.
//
// Tuned: the faces are cut to the batch beforehand and parsed once; lines are
// placed without pdfkit's line breaking; a QR code is one path.

import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

import * as fontkit from 'fontkit';
import PDFDocument from 'pdfkit';

const [folder, out] = process.argv.slice(2);
const height = 841.89;

const pages = JSON.parse(fs.readFileSync(path.join(folder, 'pages.json'), 'utf8'));
const faces = Object.fromEntries(
  ['regular', 'bold'].map((face) => [face, fontkit.create(fs.readFileSync(path.join(folder, face + '.ttf')))]),
);

const bytesOf = (colour) => colour.map((part) => Math.round(part * 255));

function draw(page) {
  return new Promise((resolve, reject) => {
    const doc = new PDFDocument({ size: [595.28, height], margin: 0, font: null });
    const parts = [];
    doc.on('data', (part) => parts.push(part));
    doc.on('end', () => resolve(Buffer.concat(parts)));
    doc.on('error', reject);
    for (const face in faces) doc.registerFont(face, faces[face]);
    for (const { colour, areas } of page.paths) {
      for (const [x, y, w, h] of areas) doc.rect(x, height - y - h, w, h);
      doc.fill(bytesOf(colour));
    }
    for (const { x, y, size, face, colour, text } of page.lines) {
      doc.font(face, size).fillColor(bytesOf(colour));
      doc.text(text, x, height - y, { lineBreak: false, baseline: 'alphabetic' });
    }
    for (const { area: [x, y, w, h], address } of page.links) doc.link(x, height - y - h, w, h, address);
    doc.end();
  });
}

console.log('ready');
let files = [];
for await (const order of readline.createInterface({ input: process.stdin })) {
  const begun = performance.now();
  if (order === 'draw') {
    files = [];
    for (const page of pages) files.push(await draw(page));
  } else {
    files.forEach((data, i) => fs.writeFileSync(path.join(out, i + '.pdf'), data));
  }
  console.log((performance.now() - begun) / 1000);
}
