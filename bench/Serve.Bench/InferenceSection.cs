using ModelMaker;
using ModelMaker.Onnx;

namespace Serve.Bench;

/// <summary>Models served by <c>serve run FILE</c>, compared to a minimal API over one InferenceSession and to Node.js.</summary>
internal static class InferenceSection
{
    private const string Hand = "hand-written minimal API";
    private const string Single = "serve run, `batching: {enabled: false}`";

    public static async Task RunAsync(BenchOptions options)
    {
        if (!WrkLoadGenerator.IsInstalled)
        {
            Console.WriteLine("wrk is missing (Debian: apt-get install wrk); left out.");
            return;
        }

        var folder = Directory.CreateTempSubdirectory("serve-bench-").FullName;
        try
        {
            await DigitsAsync(options, folder);
            await BatchesAsync(options, folder);
            await ConvolutionsAsync(options, folder);
            await TransportAsync(options, folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task DigitsAsync(BenchOptions options, string folder)
    {
        const string Model = "deployments/models/digits.onnx";
        var body = new InferenceRequestPayloads(folder, "pixels", 1, 64).Json();
        await using var hand = ByHand(Model, "digits");
        await using var ours = await OursAsync(Model, "digits", "none");
        await using var single = await OneByOneAsync(folder, Path.Combine(BenchOptions.Root, Model), "digits");
        await using var apart = await OursAsync(Model, "digits", "application");
        await using var node = await NodeJsContestant.StartAsync("Node.js", Model, "digits");
        List<ContestantTurn> turns =
        [
            new(Hand, hand, Infer("digits"), body), new("**serve run**", ours, Infer("digits"), body), new(Single, single, Infer("digits"), body),
            new("serve run, isolation application", apart, Infer("digits"), body),
        ];
        if (node is not null)
            turns.Add(new("Node.js, Fastify, onnxruntime-node", node, Infer("digits"), body));

        await ContestantTurnRunner.RunAsync("The digits, JSON, one row a request", options.Rounds, options.Seconds, turns);
    }

    private static async Task BatchesAsync(BenchOptions options, string folder)
    {
        var file = Path.Combine(folder, "mlp.onnx");
        Mlp.Write(file, width: 512, layers: 16);
        var body = new InferenceRequestPayloads(folder, "x", 1, 512).Json();
        await using var hand = ByHand(file, "mlp");
        await using var ours = await OursAsync(file, "mlp", "none");
        await using var single = await OneByOneAsync(folder, file, "mlp");
        var config = Path.Combine(folder, "gathered.yaml");
        await File.WriteAllTextAsync(config, $"""
            applications:
              - name: gathered
                route_prefix: /Gathered
                import_path: {BenchOptions.Root}/bench/deployments/Gathered.cs
                args:
                  model_path: {file}
            """);
        await using var gathered = BenchContestant.Serve("gathered", config, "none");
        await ContestantTurnRunner.RunAsync("16 dense layers of 512 x 512, JSON, one row a request", options.Rounds, options.Seconds,
            [
                new(Hand, hand, Infer("mlp"), body), new("**serve run**", ours, Infer("mlp"), body), new(Single, single, Infer("mlp"), body),
                new("`[Batch]`", gathered, "/Gathered", body),
            ]);
    }

    private static async Task ConvolutionsAsync(BenchOptions options, string folder)
    {
        var file = Path.Combine(folder, "convnet.onnx");
        ConvNet.Write(file);
        var body = new InferenceRequestPayloads(folder, "image", 1, 3, ConvNet.ImageSize, ConvNet.ImageSize);
        await using var hand = ByHand(file, "convnet");
        await using var single = ByHand(file, "convnet", "--threads", "1");
        await using var ours = await OursAsync(file, "convnet", "none");
        await ContestantTurnRunner.RunAsync("The convolutional network, binary: the extension on ours, the floats alone on theirs", options.Rounds, options.Seconds,
            [new(Hand, hand, "/raw", body.Raw()), new(Hand + ", 1 thread a run", single, "/raw", body.Raw()), new("**serve run**", ours, Infer("convnet"), body.Binary())]);
        await ContestantTurnRunner.RunAsync("The convolutional network, JSON", options.Rounds, options.Seconds,
            [new(Hand, hand, Infer("convnet"), body.Json()), new("**serve run**", ours, Infer("convnet"), body.Json())]);
    }

    private static async Task TransportAsync(BenchOptions options, string folder)
    {
        var file = Path.Combine(folder, "mean.onnx");
        const int Size = ConvNet.ImageSize;
        new OnnxGraph("mean")
            .Input("image", OnnxType.Float32, "N", 3, Size, Size)
            .Node("GlobalAveragePool", ["image"], ["mean"])
            .Output("mean", OnnxType.Float32, "N", 3, 1, 1)
            .Save(file);
        var body = new InferenceRequestPayloads(folder, "image", 1, 3, Size, Size);
        await using var hand = ByHand(file, "mean");
        await using var ours = await OursAsync(file, "mean", "none");
        await ContestantTurnRunner.RunAsync("1 x 3 x 224 x 224 floats to a model that takes their means", options.Rounds, options.Seconds,
            [
                new("serve run, JSON", ours, Infer("mean"), body.Json()), new("**serve run, binary**", ours, Infer("mean"), body.Binary()),
                new(Hand + ", JSON", hand, Infer("mean"), body.Json()), new(Hand + ", the floats alone", hand, "/raw", body.Raw()),
            ]);
    }

    private static string Infer(string model) => $"/v2/models/{model}/infer";

    private static BenchContestant ByHand(string file, string model, params string[] more) =>
        BenchContestant.DotNet(Hand, BenchContestant.FreePort(), "BareOnnx", ["--model", file, "--name", model, .. more]);

    // One run per request.
    private static async Task<BenchContestant> OneByOneAsync(string folder, string file, string model)
    {
        var config = Path.Combine(folder, $"{model}.yaml");
        await File.WriteAllTextAsync(config, $$$"""
            applications:
              - name: {{{model}}}
                import_path: {{{file}}}
                deployments:
                  - name: {{{model}}}
                    user_config: {batching: {enabled: false}}
            """);
        return await OursAsync(config, model, "none");
    }

    private static async Task<BenchContestant> OursAsync(string target, string model, string isolation)
    {
        var ours = BenchContestant.Serve("serve run", target, isolation);
        await ours.WaitForAsync($"/v2/models/{model}/ready", TimeSpan.FromSeconds(60));
        return ours;
    }
}
