using Serve.Replica.Batching;
using Serve.Specs;

namespace Serve.Inference.Models;

/// <summary>What a package of a model declares: one deployment of the built-in class.</summary>
public static class ModelPackageDefinition
{
    /// <summary>The declaration.</summary>
    /// <param name="name">The deployment's name.</param>
    /// <returns>As inspecting an assembly would have found it.</returns>
    public static InspectedApplication Of(string name) => new(
        [
            new DeploymentDefinition
            {
                // Requests share nothing but the model, which takes any number at a time.
                Options = new DeploymentOptions
                {
                    Name = name,
                    Concurrency = ConcurrencyMode.Parallel,
                    MaxOngoingRequests = BatchCallerLimits.Of([new ModelBatchSettings().Queue]),
                },
                TypeName = typeof(OnnxModelServer).FullName!,
            },
        ],
        name);
}
