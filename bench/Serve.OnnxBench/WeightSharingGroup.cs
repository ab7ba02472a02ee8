using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using ModelMaker;
using Serve.Runtime.Onnx;

namespace Serve.OnnxBench;

/// <summary>Memory growth of the process per additional equal model, as with additional replicas.</summary>
internal static class WeightSharingGroup
{
    public static async Task RunAsync(bool quick)
    {
        var folder = Directory.CreateTempSubdirectory("serve-bench-");
        try
        {
            var path = Path.Combine(folder.FullName, "mlp.onnx");
            Mlp.Write(path, width: 1024, layers: 8);
            var before = Resident();
            List<OnnxModel> models = [await LoadAsync(path)];
            var first = Resident();
            var more = quick ? 5 : 20;
            for (var count = 0; count < more; count++)
                models.Add(await LoadAsync(path));
            var all = Resident();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"32 MB of weights: the first model {first - before:0.0} MB, each of {more} further ones {(all - first) / more:0.00} MB"));
            models.ForEach(model => model.Dispose());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // Loads and uses the model, as a replica does.
    private static async Task<OnnxModel> LoadAsync(string path)
    {
        var model = await new OnnxModelLoader(new OnnxLoadContext(), NullLogger.Instance).LoadAsync(path);
        for (var run = 0; run < 10; run++)
            (await model.RunAsync([("x", Tensor.Of(new float[1024], 1, 1024))])).Dispose();
        return model;
    }

    private static double Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64 / 1024.0 / 1024.0;
    }
}
