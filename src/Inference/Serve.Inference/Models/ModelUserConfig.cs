using System.Collections.Immutable;
using Serve.Replica.Activation;

namespace Serve.Inference.Models;

/// <summary>The <c>user_config</c> of a model: ONNX options and versions. Its key <c>batching</c> is read by <see cref="ModelBatchingConfigKey"/>.</summary>
internal sealed record ModelUserConfig : OnnxOptionsConfig
{
    /// <summary>Gets the versions to load; null loads all versions of the package.</summary>
    public ImmutableArray<long>? Versions { get; init; }
}
