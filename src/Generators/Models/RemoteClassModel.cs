namespace Serve.Generators.Models;

/// <summary>A class that is an actor, or has remote functions, or both: text only, so that equal sources are equal models.</summary>
/// <param name="Type">The class, fully qualified.</param>
/// <param name="Name">Its own name, which is that of its member on the cluster.</param>
/// <param name="Flat">Its full name as one identifier.</param>
/// <param name="Namespace">Its namespace; null for the global one.</param>
/// <param name="IsPublic">Whether the generated classes may be public.</param>
/// <param name="Actor">The actor; null when the class is none.</param>
/// <param name="Functions">Its remote functions.</param>
/// <param name="Place">Where it is declared.</param>
/// <param name="Findings">What is wrong with it.</param>
internal sealed record RemoteClassModel(
    string Type, string Name, string Flat, string? Namespace, bool IsPublic,
    RemoteActorModel? Actor, EquatableArray<RemoteFunctionModel> Functions, SourceLocation? Place, EquatableArray<DiagnosticInfo> Findings)
{
    public bool HasMembers => Actor is not null || Functions.Count > 0;
}
