namespace Serve.Inference.Models;

/// <summary>A model of the node.</summary>
/// <param name="Name">Name of the model.</param>
/// <param name="State">State of the model.</param>
/// <param name="Reason">Reason of the state; may be empty.</param>
/// <param name="Application">The application that serves it.</param>
public sealed record RepositoryModelEntry(string Name, RepositoryModelState State, string Reason, string Application)
{
    /// <summary>Reason of an unloaded model, as in Triton.</summary>
    public const string Unloaded = "unloaded";

    /// <summary>Creates the error of an unknown model.</summary>
    /// <param name="name">The requested name.</param>
    /// <returns>The exception.</returns>
    public static NoSuchRouteException UnknownModel(string name) => new($"Unknown model '{name}'. POST /v2/repository/index lists the models.");
}
