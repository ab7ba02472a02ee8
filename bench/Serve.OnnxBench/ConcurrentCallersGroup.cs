using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;
using ModelMaker;
using Serve.Runtime.Onnx;

namespace Serve.OnnxBench;

/// <summary>Concurrent runs of a convolutional network: with the shared threads of the process, and with a default session, whose threads spin.</summary>
internal static class ConcurrentCallersGroup
{
    private const int Size = ConvNet.ImageSize;

    public static async Task RunAsync(bool quick)
    {
        var folder = Directory.CreateTempSubdirectory("serve-bench-");
        try
        {
            var path = Path.Combine(folder.FullName, "convnet.onnx");
            ConvNet.Write(path, width: 16);
            using var model = await new OnnxModelLoader(new OnnxLoadContext(), NullLogger.Instance).LoadAsync(path);
            using var settings = new SessionOptions();
            using var session = new InferenceSession(path, settings);
            using var run = new RunOptions();
            var seconds = quick ? 1.0 : 3.0;
            foreach (var callers in new[] { 1, 2, 4, 8 })
            {
                List<double> ours = [], theirs = [];
                for (var round = 0; round < (quick ? 3 : 7); round++)
                {
                    ours.Add(await RateAsync(callers, seconds, async image => (await model.RunAsync([("image", Tensor.Of(image, 1, 3, Size, Size))])).Dispose()));
                    theirs.Add(await RateAsync(callers, seconds, image => Task.Run(() => ByHand(session, run, image))));
                }

                var ratio = ours.Zip(theirs, (mine, his) => mine / his).Order().ElementAt(ours.Count / 2);
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{callers} callers: RunAsync {ours.Order().ElementAt(ours.Count / 2):0.0}/s, InferenceSession.Run {theirs.Order().ElementAt(theirs.Count / 2):0.0}/s; median ratio {ratio:0.00}"));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void ByHand(InferenceSession session, RunOptions run, float[] image)
    {
        using var value = OrtValue.CreateTensorValueFromMemory(image, [1, 3, Size, Size]);
        session.Run(run, ["image"], [value], ["logits"]).Dispose();
    }

    private static async Task<double> RateAsync(int callers, double seconds, Func<float[], Task> call)
    {
        var began = Stopwatch.GetTimestamp();
        var counts = await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            var image = new float[3 * Size * Size];
            var count = 0;
            for (; Stopwatch.GetElapsedTime(began).TotalSeconds < seconds; count++)
                await call(image);
            return count;
        })));
        return counts.Sum() / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
