using System.Text.Json;

namespace Serve.Rl.Tests;

/// <summary>Reads tables and trajectories of Gymnasium; Golden/golden.py writes them.</summary>
internal static class GoldenFile
{
    public static JsonElement Read(string name)
    {
        using var stream = typeof(GoldenFile).Assembly.GetManifestResourceStream($"{name}.json") ?? throw new FileNotFoundException(name);
        return JsonDocument.Parse(stream).RootElement;
    }

    public static float[] Floats(this JsonElement array) => [.. array.EnumerateArray().Select(item => (float)item.GetDouble())];

    public static double[] Doubles(this JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetDouble())];

    public static int[] Integers(this JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];

    public static Dictionary<string, object> Arguments(this JsonElement dictionary) =>
        dictionary.EnumerateObject().ToDictionary(pair => pair.Name, pair => (object)pair.Value.GetBoolean());
}
