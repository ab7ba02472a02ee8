using Microsoft.ML.OnnxRuntime;

namespace Serve.Models.Tests;

/// <summary>A call's outputs by name.</summary>
internal sealed class ModelRunOutputs(IDisposableReadOnlyCollection<OrtValue> outputs, IReadOnlyList<string> names) : IDisposable
{
    public OrtValue this[string name] => outputs[names.ToList().IndexOf(name)];

    public T[] Values<T>(string name) where T : unmanaged => this[name].GetTensorDataAsSpan<T>().ToArray();

    public string[] Texts(string name) => this[name].GetStringTensorAsArray();

    public long[] Shape(string name) => this[name].GetTensorTypeAndShape().Shape;

    public void Dispose() => outputs.Dispose();
}
