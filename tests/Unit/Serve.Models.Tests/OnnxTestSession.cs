using Microsoft.ML.OnnxRuntime;
using ModelMaker;

namespace Serve.Models.Tests;

/// <summary>A model in ONNX Runtime, called with plain arrays.</summary>
internal sealed class OnnxTestSession : IDisposable
{
    private static readonly RunOptions _runOptions = new();

    private OnnxTestSession(InferenceSession session) => Session = session;

    public InferenceSession Session { get; }

    public static OnnxTestSession Committed(string name) => Open(CommittedPath(name));

    public static string CommittedPath(string name) => Path.Combine(CommittedModels.Folder, name + ".onnx");

    public static OnnxTestSession Open(string path)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        return new OnnxTestSession(new InferenceSession(path, options));
    }

    public ModelRunOutputs Run(params (string Name, OrtValue Value)[] inputs)
    {
        try
        {
            var outputs = Session.Run(_runOptions, [.. inputs.Select(input => input.Name)], [.. inputs.Select(input => input.Value)], Session.OutputNames);
            return new ModelRunOutputs(outputs, Session.OutputNames);
        }
        finally
        {
            foreach (var (_, value) in inputs)
                value.Dispose();
        }
    }

    public void Dispose() => Session.Dispose();

    public static OrtValue Tensor<T>(T[] data, params long[] shape) where T : unmanaged => OrtValue.CreateTensorValueFromMemory(data, shape);

    public static OrtValue Texts(params string[] data)
    {
        var value = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, [data.Length]);
        for (var i = 0; i < data.Length; i++)
            value.StringTensorSetElementAt(data[i].AsSpan(), i);
        return value;
    }
}
