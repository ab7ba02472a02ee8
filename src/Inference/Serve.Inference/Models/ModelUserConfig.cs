using System.Collections.Immutable;
using Serve.Replica.Activation;

namespace Serve.Inference.Models;

/// <summary>A model's <c>user_config</c>: how it is loaded, and which versions are. Its key <c>batching</c> is <see cref="ModelBatchingConfigKey"/>'s.</summary>
internal sealed record ModelUserConfig : OnnxOptionsConfig
{
    /// <summary>Which versions are loaded; all that are there when it is not set.</summary>
    public ImmutableArray<long>? Versions { get; init; }
}
