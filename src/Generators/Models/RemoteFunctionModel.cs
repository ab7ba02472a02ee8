namespace Serve.Generators.Models;

/// <summary>A static method with <c>[Remote]</c>.</summary>
/// <param name="Method">The method.</param>
/// <param name="IsPublic">Whether other assemblies can see it.</param>
/// <param name="Defaults">Its attribute, as an expression that makes it again.</param>
internal sealed record RemoteFunctionModel(CallableMethodModel Method, bool IsPublic, string Defaults);
