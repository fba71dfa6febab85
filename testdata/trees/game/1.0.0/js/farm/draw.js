import { CROPS, stageOf } from './crops.js';

const TILE = 32;

export function draw(context, field, images) {
  context.imageSmoothingEnabled = false;
  for (let y = 0; y < field.height; y++) {
    for (let x = 0; x < field.width; x++) {
      const plot = field.at(x, y);
      context.drawImage(plot ? images.soil : images.hill, x * TILE, y * TILE, TILE, TILE);
      if (!plot?.crop) continue;
      const column = stageOf(plot);
      const { row } = CROPS[plot.crop];
      context.drawImage(
        images.crops,
        column * TILE, row * TILE, TILE, TILE,
        x * TILE, y * TILE, TILE, TILE,
      );
      if (plot.water === 0) shade(context, x, y);
    }
  }
  context.drawImage(images.farmer, (field.day % field.width) * TILE, 0);
}

function shade(context, x, y) {
  context.fillStyle = 'rgb(120 72 24 / 40%)';
  context.fillRect(x * TILE, y * TILE, TILE, TILE);
}
