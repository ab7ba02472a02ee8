namespace Serve.Gateway.Inference;

/// <summary>One model of the node.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">How it is.</param>
/// <param name="Reason">Why; empty when there is nothing to say.</param>
/// <param name="Application">The application that serves it.</param>
public sealed record RepositoryModel(string Name, ModelState State, string Reason, string Application)
{
    /// <summary>The reason of a model that was unloaded, Triton's word.</summary>
    public const string Unloaded = "unloaded";
}
