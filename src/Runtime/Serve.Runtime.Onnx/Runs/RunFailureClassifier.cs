using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Runs;

/// <summary>
/// Decides who caused a failed run. A loaded model is fixed, so a kernel that fails does so for the shape or the values of the inputs, unless memory or a device is the reason.
/// </summary>
internal static class RunFailureClassifier
{
    // ONNX Runtime reports the code of an error only in its message.
    private static readonly string[] InputCodes = ["[ErrorCode:InvalidArgument]", "[ErrorCode:RuntimeException]", "[ErrorCode:Fail]"];

    // Messages of its allocators and of the libraries of its device providers.
    private static readonly string[] ResourceWords = ["alloc", "out of memory", "cuda", "cudnn", "cublas", "tensorrt"];

    // Precedes the kernel's message; the node's name comes before it.
    private const string KernelMessage = "Status Message:";

    /// <summary>Returns whether the inputs caused the failure of a run.</summary>
    public static bool IsCausedByInputs(OnnxRuntimeException error) => IsCausedByInputs(error.Message);

    internal static bool IsCausedByInputs(string message)
    {
        if (!Array.Exists(InputCodes, code => message.StartsWith(code, StringComparison.Ordinal)))
            return false;
        var reason = message[Math.Max(0, message.IndexOf(KernelMessage, StringComparison.Ordinal))..];
        return !Array.Exists(ResourceWords, word => reason.Contains(word, StringComparison.OrdinalIgnoreCase));
    }
}
