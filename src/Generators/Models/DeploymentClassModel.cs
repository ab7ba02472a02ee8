namespace Serve.Generators.Models;

/// <summary>One deployment class, as the generator keeps it between runs: text only, so that equal sources are equal models.</summary>
/// <param name="Type">The class, fully qualified.</param>
/// <param name="Holder">The name of the generated class.</param>
/// <param name="IsPublic">Whether the generated class may be public.</param>
/// <param name="Methods">What the handle offers.</param>
/// <param name="Findings">What is wrong with the class.</param>
internal sealed record DeploymentClassModel(
    string Type, string Holder, bool IsPublic, EquatableArray<CallableMethodModel> Methods, EquatableArray<DiagnosticInfo> Findings);
