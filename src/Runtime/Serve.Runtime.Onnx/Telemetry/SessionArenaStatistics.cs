using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Telemetry;

/// <summary>What a session's arena holds, in bytes, as ONNX Runtime counts it.</summary>
/// <param name="InUse">By tensors.</param>
/// <param name="Total">What it has taken from the system.</param>
internal readonly record struct SessionArenaStatistics(long InUse, long Total)
{
    /// <returns>Null where ONNX Runtime does not tell.</returns>
    public static SessionArenaStatistics? Read(InferenceSession session)
    {
        using var allocator = new OrtAllocator(session, OrtMemoryInfo.DefaultInstance);
        return NativeAllocatorStatistics.Read(allocator) is { } told && told.TryGetValue("InUse", out var used) && told.TryGetValue("TotalAllocated", out var total)
            ? new(long.Parse(used, CultureInfo.InvariantCulture), long.Parse(total, CultureInfo.InvariantCulture))
            : null;
    }
}
