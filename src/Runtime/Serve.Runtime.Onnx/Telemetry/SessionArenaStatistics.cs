using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Telemetry;

/// <summary>Memory use of a session's arena in bytes, as ONNX Runtime reports it.</summary>
/// <param name="InUse">Bytes in use by tensors.</param>
/// <param name="Total">Bytes allocated from the system.</param>
internal readonly record struct SessionArenaStatistics(long InUse, long Total)
{
    /// <returns>Null if ONNX Runtime does not report it.</returns>
    public static SessionArenaStatistics? Read(InferenceSession session)
    {
        using var allocator = new OrtAllocator(session, OrtMemoryInfo.DefaultInstance);
        return NativeAllocatorStatistics.Read(allocator) is { } statistics && statistics.TryGetValue("InUse", out var used) && statistics.TryGetValue("TotalAllocated", out var total)
            ? new(long.Parse(used, CultureInfo.InvariantCulture), long.Parse(total, CultureInfo.InvariantCulture))
            : null;
    }
}
