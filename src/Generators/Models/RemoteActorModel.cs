namespace Serve.Generators.Models;

/// <summary>A class with <c>[Remote]</c>.</summary>
/// <param name="Constructor">Its one public constructor.</param>
/// <param name="Methods">What its handle offers.</param>
/// <param name="Defaults">Its attribute, as an expression that makes it again.</param>
internal sealed record RemoteActorModel(CallableMethodModel Constructor, EquatableArray<CallableMethodModel> Methods, string Defaults);
