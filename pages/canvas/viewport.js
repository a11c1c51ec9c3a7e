// Where the photo stands on the screen: one scale and one shift. `scale` is CSS pixels per image pixel.

/** @typedef {{scale: number, x: number, y: number}} View  x, y: CSS position of the image's top-left corner */

export const MIN_SCALE = 0.02;
export const MAX_SCALE = 64;

/** @param {View} view @returns {[number, number]} image coordinates of a point of the stage */
export function toImage(view, stageX, stageY) {
  return [(stageX - view.x) / view.scale, (stageY - view.y) / view.scale];
}

/** @param {View} view @returns {[number, number]} stage position of image coordinates */
export function toStage(view, imageX, imageY) {
  return [imageX * view.scale + view.x, imageY * view.scale + view.y];
}

/** Scale by `factor` so that what is under (stageX, stageY) stays there. @param {View} view @returns {View} */
export function zoomAbout(view, factor, stageX, stageY) {
  const scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, view.scale * factor));
  const ratio = scale / view.scale;
  return { scale, x: stageX - (stageX - view.x) * ratio, y: stageY - (stageY - view.y) * ratio };
}

/** @param {View} view @returns {View} */
export function panBy(view, dx, dy) {
  return { scale: view.scale, x: view.x + dx, y: view.y + dy };
}

/** The whole image, centred, with a margin. @returns {View} */
export function fit(imageWidth, imageHeight, stageWidth, stageHeight, margin = 16) {
  const scale = clampScale(
    Math.min((stageWidth - 2 * margin) / imageWidth, (stageHeight - 2 * margin) / imageHeight),
  );
  return centred(scale, imageWidth, imageHeight, stageWidth, stageHeight);
}

/** `scale`, with the image point that is in the middle of the stage staying there. @param {View} view @returns {View} */
export function scaleTo(view, scale, stageWidth, stageHeight) {
  return zoomAbout(view, scale / view.scale, stageWidth / 2, stageHeight / 2);
}

/** Keep at least `keep` CSS pixels of the image on the stage. @param {View} view @returns {View} */
export function keepInSight(view, imageWidth, imageHeight, stageWidth, stageHeight, keep = 48) {
  const width = imageWidth * view.scale;
  const height = imageHeight * view.scale;
  const x = Math.min(stageWidth - Math.min(keep, width), Math.max(Math.min(keep, width) - width, view.x));
  const y = Math.min(stageHeight - Math.min(keep, height), Math.max(Math.min(keep, height) - height, view.y));
  return { scale: view.scale, x, y };
}

function centred(scale, imageWidth, imageHeight, stageWidth, stageHeight) {
  return { scale, x: (stageWidth - imageWidth * scale) / 2, y: (stageHeight - imageHeight * scale) / 2 };
}

function clampScale(scale) {
  return Number.isFinite(scale) ? Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale)) : 1;
}
