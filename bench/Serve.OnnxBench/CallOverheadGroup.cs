using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;
using ModelMaker;
using Serve.Runtime.Onnx;

namespace Serve.OnnxBench;

/// <summary>Overhead of a call compared to hand-written code on <see cref="InferenceSession"/>, measured alternately so that noise affects both.</summary>
internal static class CallOverheadGroup
{
    private const int Features = 64;

    public static async Task RunAsync(bool quick)
    {
        var (rounds, calls) = quick ? (11, 2_000) : (101, 5_000);
        var path = Path.Combine(CommittedModels.Folder, "digits.onnx");
        using var model = await new OnnxModelLoader(new OnnxLoadContext(), NullLogger.Instance).LoadAsync(path);
        using var settings = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(path, settings);
        using var run = new RunOptions();
        foreach (var rows in new[] { 1, 32 })
        {
            var input = new float[rows * Features];
            double[] theirs = new double[rounds], ours = new double[rounds];
            for (var round = -5; round < rounds; round++)
            {
                var one = Microseconds(calls, () => ByHand(session, run, input, rows));
                var other = await MicrosecondsAsync(calls, model, input, rows);
                if (round >= 0)
                    (theirs[round], ours[round]) = (one, other);
            }

            var difference = Median(ours.Zip(theirs, (mine, his) => mine - his));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"digits, {rows} rows: InferenceSession.Run {Median(theirs):0.00} us, RunAsync {Median(ours):0.00} us; median difference {difference:0.00} us a call ({rounds} rounds of {calls} calls)"));
        }
    }

    private static float ByHand(InferenceSession session, RunOptions run, float[] input, int rows)
    {
        using var value = OrtValue.CreateTensorValueFromMemory(input, [rows, Features]);
        using var results = session.Run(run, ["pixels"], [value], ["label", "probabilities"]);
        return results[1].GetTensorDataAsSpan<float>()[0];
    }

    private static double Microseconds(int calls, Func<float> call)
    {
        var sum = 0f;
        var began = Stopwatch.GetTimestamp();
        for (var each = 0; each < calls; each++)
            sum += call();
        GC.KeepAlive(sum);
        return Stopwatch.GetElapsedTime(began).TotalMicroseconds / calls;
    }

    private static async Task<double> MicrosecondsAsync(int calls, OnnxModel model, float[] input, int rows)
    {
        var sum = 0f;
        var began = Stopwatch.GetTimestamp();
        for (var each = 0; each < calls; each++)
        {
            using var outputs = await model.RunAsync([("pixels", Tensor.Of(input, rows, Features))]);
            sum += outputs[1].Tensor.Data<float>().Span[0];
        }

        GC.KeepAlive(sum);
        return Stopwatch.GetElapsedTime(began).TotalMicroseconds / calls;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
