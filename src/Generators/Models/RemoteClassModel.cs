namespace Serve.Generators.Models;

/// <summary>A class that is an actor, has remote functions, or both. Text only, so that equal sources give equal models.</summary>
/// <param name="Type">The class, fully qualified.</param>
/// <param name="Name">Its name, which is also the name of its member on the cluster.</param>
/// <param name="Flat">Its full name as a single identifier.</param>
/// <param name="Namespace">Its namespace; null for the global one.</param>
/// <param name="IsPublic">Whether the generated classes can be public.</param>
/// <param name="Actor">The actor; null if the class is not an actor.</param>
/// <param name="Functions">Its remote functions.</param>
/// <param name="Place">The location of its declaration.</param>
/// <param name="Findings">Diagnostics of the class.</param>
internal sealed record RemoteClassModel(
    string Type, string Name, string Flat, string? Namespace, bool IsPublic,
    RemoteActorModel? Actor, EquatableArray<RemoteFunctionModel> Functions, SourceLocation? Place, EquatableArray<DiagnosticInfo> Findings)
{
    public bool HasMembers => Actor is not null || Functions.Count > 0;
}

/// <summary>A class with <c>[Remote]</c>.</summary>
/// <param name="Constructor">Its only public constructor.</param>
/// <param name="Methods">The methods of its handle.</param>
/// <param name="Defaults">Its attribute, as the expression that creates it.</param>
internal sealed record RemoteActorModel(CallableMethodModel Constructor, EquatableArray<CallableMethodModel> Methods, string Defaults);

/// <summary>A static method with <c>[Remote]</c>.</summary>
/// <param name="Method">The method.</param>
/// <param name="IsPublic">Whether other assemblies can access it.</param>
/// <param name="Defaults">Its attribute, as the expression that creates it.</param>
internal sealed record RemoteFunctionModel(CallableMethodModel Method, bool IsPublic, string Defaults);

/// <summary>A class with <c>[Deployment]</c>. Text only, so that equal sources give equal models.</summary>
/// <param name="Type">The class, fully qualified.</param>
/// <param name="Holder">The name of the generated class.</param>
/// <param name="IsPublic">Whether the generated class can be public.</param>
/// <param name="Methods">The methods of its handle.</param>
/// <param name="Findings">Diagnostics of the class.</param>
internal sealed record DeploymentClassModel(
    string Type, string Holder, bool IsPublic, EquatableArray<CallableMethodModel> Methods, EquatableArray<DiagnosticInfo> Findings);
