// The blocks of data in this file: gzip in base64, each in a <script> that no browser runs.

async function readBlock(id) {
  const packed = document.getElementById(id).textContent;
  const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(packed) : bytesOf(atob(packed));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

function bytesOf(binary) {
  const bytes = new Uint8Array(binary.length);
  for (let place = 0; place < binary.length; place++) bytes[place] = binary.charCodeAt(place);
  return bytes;
}

function blockReader(prefix) {
  return (number) => readBlock(`${prefix}-${number}`);
}
