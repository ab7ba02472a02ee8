using Microsoft.ML.OnnxRuntime;

namespace Serve.Models.Tests;

/// <summary>What a model says of its inputs or outputs, as one line: "name Type [axes]; …".</summary>
internal static class TensorDeclarationFormatter
{
    public static string Of(IReadOnlyList<string> names, IReadOnlyDictionary<string, NodeMetadata> metadata) => string.Join("; ", names.Select(name =>
    {
        var tensor = metadata[name];
        var axes = tensor.Dimensions.Select((length, i) => length >= 0 ? $"{length}" : tensor.SymbolicDimensions[i]);
        return $"{name} {tensor.ElementDataType} [{string.Join(',', axes)}]";
    }));
}
