// Bytes as base64, text and hexadecimal.

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @param {string} text */
export const toUtf8 = (text) => encoder.encode(text);

/** The text, or null where the bytes are not UTF-8. @param {Uint8Array} bytes */
export function fromUtf8(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** @param {Uint8Array} bytes */
export function toBase64(bytes) {
  let binary = "";
  for (let start = 0; start < bytes.length; start += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(binary);
}

/** @param {string} base64 */
export function fromBase64(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** How a key is written in an address. @param {string} key */
export const safeKey = (key) => encodeURIComponent(toBase64(toUtf8(key)).replaceAll("/", "-"));

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Offset, sixteen bytes and their characters to a line. @param {Uint8Array} bytes */
export function hexDump(bytes) {
  const lines = [];
  for (let start = 0; start < bytes.length; start += 16) {
    const row = bytes.subarray(start, start + 16);
    const digits = Array.from(row, (byte) => hex[byte]);
    const left = digits.slice(0, 8).join(" ").padEnd(23);
    const right = digits.slice(8).join(" ").padEnd(23);
    const plain = Array.from(row, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${start.toString(16).padStart(8, "0")}  ${left}  ${right}  ${plain}`);
  }
  return lines.join("\n");
}

/** Hexadecimal digits for editing, sixteen bytes to a line. @param {Uint8Array} bytes */
export function toHex(bytes) {
  const lines = [];
  for (let start = 0; start < bytes.length; start += 16) {
    lines.push(Array.from(bytes.subarray(start, start + 16), (byte) => hex[byte]).join(" "));
  }
  return lines.join("\n");
}

/** The bytes, or null where the text is not pairs of hexadecimal digits. @param {string} text */
export function fromHex(text) {
  const digits = text.replace(/\s+/g, "");
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) return null;
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/** @param {number} size */
export function sizeText(size) {
  if (size < 1024) return size === 1 ? "1 byte" : `${size} bytes`;
  const [amount, unit] = size < 1 << 20 ? [size / 1024, "KiB"] : [size / (1 << 20), "MiB"];
  return `${amount.toLocaleString("en", { maximumFractionDigits: 1 })} ${unit}`;
}
