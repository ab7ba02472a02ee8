using Microsoft.ML.OnnxRuntime;
using ModelMaker;

namespace Serve.Models.Tests;

/// <summary>An ONNX Runtime session that is called with arrays.</summary>
internal sealed class OnnxTestSession : IDisposable
{
    private static readonly RunOptions RunOptions = new();

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
            var outputs = Session.Run(RunOptions, [.. inputs.Select(input => input.Name)], [.. inputs.Select(input => input.Value)], Session.OutputNames);
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

/// <summary>Outputs of a run by name.</summary>
internal sealed class ModelRunOutputs(IDisposableReadOnlyCollection<OrtValue> outputs, IReadOnlyList<string> names) : IDisposable
{
    public OrtValue this[string name] => outputs[names.ToList().IndexOf(name)];

    public T[] Values<T>(string name) where T : unmanaged => this[name].GetTensorDataAsSpan<T>().ToArray();

    public string[] Texts(string name) => this[name].GetStringTensorAsArray();

    public long[] Shape(string name) => this[name].GetTensorTypeAndShape().Shape;

    public void Dispose() => outputs.Dispose();
}

/// <summary>Formats the declared inputs or outputs of a model as one line: "name Type [axes]; …".</summary>
internal static class TensorDeclarationFormatter
{
    public static string Of(IReadOnlyList<string> names, IReadOnlyDictionary<string, NodeMetadata> metadata) => string.Join("; ", names.Select(name =>
    {
        var tensor = metadata[name];
        var axes = tensor.Dimensions.Select((length, i) => length >= 0 ? $"{length}" : tensor.SymbolicDimensions[i]);
        return $"{name} {tensor.ElementDataType} [{string.Join(',', axes)}]";
    }));
}
