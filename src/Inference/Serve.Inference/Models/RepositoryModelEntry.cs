namespace Serve.Inference.Models;

/// <summary>One model of the node.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">How it is.</param>
/// <param name="Reason">Why; empty when there is nothing to say.</param>
/// <param name="Application">The application that serves it.</param>
public sealed record RepositoryModelEntry(string Name, RepositoryModelState State, string Reason, string Application)
{
    /// <summary>The reason of a model that was unloaded, Triton's word.</summary>
    public const string Unloaded = "unloaded";

    /// <summary>That there is no such model, and how to find those there are.</summary>
    /// <param name="name">The name that was asked for.</param>
    /// <returns>To be thrown.</returns>
    public static NoSuchRouteException UnknownModel(string name) => new($"There is no model '{name}'. POST /v2/repository/index lists those there are.");
}
