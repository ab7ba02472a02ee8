// The hand-written service: POST /v2/models/NAME/infer with JSON, and POST /raw with only the floats of the first input.
// Usage: BareOnnx --urls http://127.0.0.1:PORT --model FILE --name NAME [--threads N]
using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

// With --model FILE --loads N only: prints the milliseconds of N loads of the model, after one that is not printed.
if (args is ["--model", var file, "--loads", var loads])
{
    for (var load = 0; load <= int.Parse(loads); load++)
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        new InferenceSession(file).Dispose();
        if (load > 0)
            Console.WriteLine(System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    return;
}

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, InferJson.Default));
var app = builder.Build();
var (path, name) = (app.Configuration["model"]!, app.Configuration["name"]!);
using var settings = new Microsoft.ML.OnnxRuntime.SessionOptions();
if (app.Configuration["threads"] is { } threads)
    settings.IntraOpNumThreads = int.Parse(threads);
using var session = new InferenceSession(path, settings);
using var run = new RunOptions();
var input = session.InputNames[0];
var shape = Array.ConvertAll(session.InputMetadata[input].Dimensions, length => (long)Math.Max(length, 1));
var size = (int)shape.Aggregate(1L, (product, length) => product * length);

app.MapPost($"/v2/models/{name}/infer", (InferRequest request) =>
{
    var tensor = request.Inputs[0];
    using var value = OrtValue.CreateTensorValueFromMemory(tensor.Data, tensor.Shape);
    using var results = session.Run(run, [tensor.Name], [value], session.OutputNames);
    var outputs = new OutputTensor[results.Count];
    for (var index = 0; index < outputs.Length; index++)
    {
        var info = results[index].GetTensorTypeAndShape();
        outputs[index] = info.ElementDataType == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int64
            ? new(session.OutputNames[index], "INT64", info.Shape, results[index].GetTensorDataAsSpan<long>().ToArray())
            : new(session.OutputNames[index], "FP32", info.Shape, results[index].GetTensorDataAsSpan<float>().ToArray());
    }

    return new InferResponse(name, "1", outputs);
});

app.MapPost("/raw", async context =>
{
    var floats = new float[size];
    var filled = 0;
    while (await context.Request.BodyReader.ReadAsync(context.RequestAborted) is { Buffer: var came } result)
    {
        came.CopyTo(MemoryMarshal.AsBytes(floats.AsSpan())[filled..]);
        filled += (int)came.Length;
        context.Request.BodyReader.AdvanceTo(came.End);
        if (result.IsCompleted)
            break;
    }

    using var value = OrtValue.CreateTensorValueFromMemory(floats, shape);
    using var results = session.Run(run, [input], [value], session.OutputNames);
    var answer = MemoryMarshal.AsBytes(results[0].GetTensorDataAsSpan<float>()).ToArray();
    context.Response.ContentType = "application/octet-stream";
    context.Response.ContentLength = answer.Length;
    await context.Response.Body.WriteAsync(answer, context.RequestAborted);
});

app.Run();
