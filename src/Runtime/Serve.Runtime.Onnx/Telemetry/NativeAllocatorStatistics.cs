using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Telemetry;

/// <summary>Calls <c>OrtApi.AllocatorGetStats</c>, which the managed library declares but does not call. Resolved once, from the function table of the native library.</summary>
internal static unsafe class NativeAllocatorStatistics
{
    private static readonly Lazy<Functions?> Found = new(Find);

    /// <returns>Null if this build of ONNX Runtime does not report statistics.</returns>
    public static Dictionary<string, string>? Read(OrtAllocator allocator)
    {
        if (Found.Value is not { } functions)
            return null;
        nint pairs = 0;
        var status = ((delegate* unmanaged<nint, nint*, nint>)functions.GetStatistics)(allocator.DangerousGetHandle(), &pairs);
        GC.KeepAlive(allocator);
        if (status != 0)
        {
            // The allocator has no statistics.
            ((delegate* unmanaged<nint, void>)functions.ReleaseStatus)(status);
            return null;
        }

        try
        {
            nint* keys;
            nint* values;
            nuint count;
            ((delegate* unmanaged<nint, nint**, nint**, nuint*, void>)functions.GetPairs)(pairs, &keys, &values, &count);
            var read = new Dictionary<string, string>(StringComparer.Ordinal);
            for (var index = 0; index < (int)count; index++)
                read[Marshal.PtrToStringUTF8(keys[index])!] = Marshal.PtrToStringUTF8(values[index])!;
            return read;
        }
        finally
        {
            ((delegate* unmanaged<nint, void>)functions.ReleasePairs)(pairs);
        }
    }

    private static Functions? Find()
    {
        if (!NativeLibrary.TryLoad("onnxruntime", typeof(InferenceSession).Assembly, null, out var library)
            || !NativeLibrary.TryGetExport(library, "OrtGetApiBase", out var entry))
            return null;

        // struct OrtApiBase { const OrtApi* (*GetApi)(uint32_t version); … }; the version of the managed library has the field.
        var api = (*(delegate* unmanaged<uint, nint>*)((delegate* unmanaged<nint>)entry)())(ApiVersion());
        return api == 0 ? null : new(At(api, nameof(OrtApi.AllocatorGetStats)), At(api, nameof(OrtApi.GetKeyValuePairs)), At(api, nameof(OrtApi.ReleaseKeyValuePairs)), At(api, nameof(OrtApi.ReleaseStatus)));
    }

    // 1.31.1 is API version 31.
    private static uint ApiVersion() => uint.Parse(OrtEnv.Instance().GetVersionString().Split('.')[1], System.Globalization.CultureInfo.InvariantCulture);

    private static nint At(nint api, string field) => *(nint*)(api + Marshal.OffsetOf<OrtApi>(field));

    private sealed record Functions(nint GetStatistics, nint GetPairs, nint ReleasePairs, nint ReleaseStatus);
}
