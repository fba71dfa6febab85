// node verify-dsse.js HEAD PUBLIC-KEY: verifies a DSSE envelope with Sigstore's code alone.
// node verify-dsse.js --bundle HEAD: reads it with Sigstore's schema.
'use strict';

const fs = require('fs');
const nodeCrypto = require('crypto');
const { crypto, dsse } = require('@sigstore/core');
const { envelopeFromJSON } = require('@sigstore/bundle');

const [first, second] = process.argv.slice(2);

if (first === '--bundle') {
  const envelope = envelopeFromJSON(JSON.parse(fs.readFileSync(second, 'utf8')));
  const digest = nodeCrypto.createHash('sha256').update(envelope.payload).digest('hex');
  console.log(envelope.payloadType, digest, envelope.signatures.length);
  process.exit(0);
}

const envelope = JSON.parse(fs.readFileSync(first, 'utf8'));
const payload = Buffer.from(envelope.payload, 'base64');
const signed = dsse.preAuthEncoding(envelope.payloadType, payload);
const key = crypto.createPublicKey(fs.readFileSync(second, 'utf8'));
const algorithm = key.asymmetricKeyType === 'ed25519' ? undefined : 'sha256';

const good = envelope.signatures.some(({ sig }) =>
  crypto.verify(signed, key, Buffer.from(sig, 'base64'), algorithm)
);
if (!good) {
  console.log('no valid signature by this key');
  process.exit(1);
}
const { subject, predicate } = JSON.parse(payload.toString('utf8'));
console.log(
  `verified ${predicate.product} ${predicate.version} serial ${predicate.serial} sha256 ${subject[0].digest.sha256}`
);
