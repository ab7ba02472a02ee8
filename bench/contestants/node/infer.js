// POST /v2/models/NAME/infer in Node.js: Fastify with a response schema over one onnxruntime-node session.
// Usage: node infer.js MODULES PORT FILE NAME
'use strict';
const { createRequire } = require('node:module');
const [modules, port, file, name] = process.argv.slice(2);
const load = createRequire(modules + '/package.json');
const fastify = load('fastify');
const { InferenceSession, Tensor } = load('onnxruntime-node');

const output = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    datatype: { type: 'string' },
    shape: { type: 'array', items: { type: 'integer' } },
    data: { type: 'array', items: { type: 'number' } },
  },
};
const schema = {
  response: {
    200: {
      type: 'object',
      properties: { model_name: { type: 'string' }, model_version: { type: 'string' }, outputs: { type: 'array', items: output } },
    },
  },
};

async function main() {
  const session = await InferenceSession.create(file);
  const app = fastify({ logger: false, bodyLimit: 64 * 1024 * 1024 });
  app.post(`/v2/models/${name}/infer`, { schema }, async request => {
    const input = request.body.inputs[0];
    const results = await session.run({ [input.name]: new Tensor('float32', Float32Array.from(input.data), input.shape) });
    return {
      model_name: name,
      model_version: '1',
      outputs: session.outputNames.map(each => {
        const { type, dims, data } = results[each];
        return type === 'int64'
          ? { name: each, datatype: 'INT64', shape: dims, data: Array.from(data, Number) }
          : { name: each, datatype: 'FP32', shape: dims, data: Array.from(data) };
      }),
    };
  });
  await app.listen({ port: Number(port), host: '127.0.0.1' });
}

main();
