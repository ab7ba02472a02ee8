using System.Collections.Immutable;
using Serve.Specs;

namespace Serve.Control.Tests;

public sealed class ApplicationRevisionBuilderTests
{
    private static readonly ApplicationPackage Package = new()
    {
        Hash = "h1",
        Directory = "/p",
        AssemblyFile = "a.dll",
        Ingress = "Counter",
        Deployments = [new() { Options = new() { Name = "Counter", NumReplicas = 2 }, TypeName = "Counter" }],
    };

    private static readonly ApplicationConfig Config = new() { Name = "app", ImportPath = "Counter.cs" };

    [Fact]
    public void Build_Defaults_RoutePrefixIsTheIngress() =>
        Assert.Equal("/Counter", ApplicationRevisionBuilder.Build(Config, Package, IsolationMode.None, null).RoutePrefix);

    [Fact]
    public void Build_NoRoute_HasNone() =>
        Assert.Null(ApplicationRevisionBuilder.Build(Config with { RoutePrefix = ApplicationConfig.NoRoute }, Package, IsolationMode.None, null).RoutePrefix);

    [Theory]
    [InlineData("/")]
    [InlineData("/digits")]
    [InlineData("/models/digits")]
    [InlineData("/v2/models/a/b")]
    public void Build_ModelWithAnotherRoutePrefix_RefusedSaysWhatToRemove(string prefix)
    {
        var errors = Assert.Throws<DefinitionException>(() => Model(prefix)).Errors;
        Assert.Equal(
            $"digits: route_prefix '{prefix}' is not allowed for a model: clients of the Open Inference Protocol expect it at /v2/models/NAME. Remove route_prefix.",
            Assert.Single(errors));
    }

    [Theory]
    [InlineData(null, "/v2/models/digits")]
    [InlineData("/v2/models/other", "/v2/models/other")]
    [InlineData(ApplicationConfig.NoRoute, null)]
    public void Build_ModelWhereTheProtocolFindsItOrNowhere_Taken(string? prefix, string? expected) =>
        Assert.Equal(expected, Model(prefix).RoutePrefix);

    [Fact]
    public void Build_EverythingWrong_SaysAllAtOnce()
    {
        var wrong = Config with
        {
            Name = "a b",
            RoutePrefix = "x/",
            Deployments = [new() { Name = "Countr" }, new() { Name = "Counter", NumReplicas = -1 }],
        };
        var errors = Assert.Throws<DefinitionException>(() => ApplicationRevisionBuilder.Build(wrong, Package, IsolationMode.None, null)).Errors;
        Assert.Equal(4, errors.Count);
        Assert.Contains(errors, error => error.Contains("did you mean 'Counter'?", StringComparison.Ordinal));
    }

    [Fact]
    public void Build_SameAfterScaling_KeepsTheScale()
    {
        var first = ApplicationRevisionBuilder.Build(Config, Package, IsolationMode.None, null);
        var scaled = first with { Deployments = ImmutableSortedDictionary<string, DeploymentRevision>.Empty.Add("Counter", first.Deployments["Counter"].ScaledTo(5)) };
        var again = ApplicationRevisionBuilder.Build(Config, Package with { Hash = "h2" }, IsolationMode.None, scaled);
        Assert.Equal(5, again.Deployments["Counter"].Spec.NumReplicas);
        var asked = ApplicationRevisionBuilder.Build(Config with { Deployments = [new() { Name = "Counter", NumReplicas = 3 }] }, Package, IsolationMode.None, scaled);
        Assert.Equal(3, asked.Deployments["Counter"].Spec.NumReplicas);
    }

    private static ApplicationRevision Model(string? prefix) => ApplicationRevisionBuilder.Build(
        new() { Name = "digits", ImportPath = "digits.onnx", RoutePrefix = prefix },
        Package with { AssemblyFile = null, Ingress = "digits", Deployments = [new() { Options = new() { Name = "digits" }, TypeName = "Model" }] },
        IsolationMode.None, null);
}
