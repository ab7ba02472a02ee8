using Serve.Replica.Batching;
using Serve.Specs;

namespace Serve.Inference.Models;

/// <summary>The declaration of a model package: one deployment of the built-in class.</summary>
public static class ModelPackageDefinition
{
    /// <summary>Creates the declaration.</summary>
    /// <param name="name">The deployment's name.</param>
    /// <returns>The declaration, in the form that the inspection of an assembly has.</returns>
    public static InspectedApplication Of(string name) => new(
        [
            new DeploymentDefinition
            {
                // Requests share only the model, which is thread-safe.
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
