using Serve.Replica.Definitions;
using Serve.Replica.Tests.Fixtures;
using Serve.Specs;

namespace Serve.Replica.Tests.Definitions;

public sealed class DeploymentInspectorTests
{
    private const string Chain = """
        [Deployment] public sealed class Pipeline(DeploymentHandle<Resize> resize, DeploymentHandle classify) { public object Call() => (resize, classify); }
        [Deployment] public sealed class Resize { public int Call(int x) => x; }
        [Deployment("classify", NumReplicas = 2)] public sealed class Labels { public int Call(int x) => x; }
        """;

    [Fact]
    public void Inspect_OneClass_DefinesItAndMakesItTheIngress()
    {
        var found = Inspect("[Deployment(MaxOngoingRequests = 32, NumCpus = 0.5)] public sealed class Counter { public object Call() => 1; }");

        Assert.Equal("Counter", found.Ingress);
        var counter = Assert.Single(found.Deployments);
        Assert.Equal("Counter", counter.TypeName);
        Assert.Equal("Counter", counter.Options.Name);
        Assert.Equal(32, counter.Options.MaxOngoingRequests);
        Assert.Null(counter.Options.NumReplicas);
        Assert.Equal(0.5, counter.Options.ActorOptions!.NumCpus);
    }

    [Fact]
    public void Inspect_Chain_TakesTheOneThatNoOtherTakesAHandleTo()
    {
        var found = Inspect(Chain);

        Assert.Equal("Pipeline", found.Ingress);
        Assert.Equal(["Pipeline", "Resize", "classify"], found.Deployments.Select(deployment => deployment.Options.Name!));
        Assert.Equal(["Resize", "classify"], found.Deployments[0].Dependencies.AsEnumerable());
    }

    [Fact]
    public void Inspect_NamedType_KeepsWhatItReaches()
    {
        var found = Inspect(Chain, "Resize");

        Assert.Equal("Resize", found.Ingress);
        Assert.Equal("Resize", Assert.Single(found.Deployments).TypeName);
    }

    [Fact]
    public void Inspect_NestedClass_CanBeFoundAgainByItsTypeName()
    {
        using var code = UserCode.Compile("namespace My; public class Outer { [Deployment] public sealed class Inner { public int Call() => 1; } }");

        var inner = Assert.Single(DeploymentInspector.Inspect(code.Assembly()).Deployments);

        Assert.Equal("My.Outer+Inner", inner.TypeName);
        Assert.Equal("Inner", inner.Options.Name);
    }

    [Fact]
    public void Inspect_Record_IsADeploymentLikeAnyOther()
    {
        var found = Inspect("[Deployment] public sealed record Counter(ILogger log) { public int Call() => 1; } public interface ILogger;");

        Assert.Equal("Counter", found.Ingress);
    }

    [Fact]
    public void Inspect_CodeWithSideEffects_RunsNoneOfIt()
    {
        var found = Inspect("""
            static class Start { [System.Runtime.CompilerServices.ModuleInitializer] internal static void Run() => Environment.SetEnvironmentVariable("SERVE_TEST_RAN", "module"); }
            public sealed class MarkAttribute : Attribute { public MarkAttribute() => Environment.SetEnvironmentVariable("SERVE_TEST_RAN", "attribute"); }
            [Deployment, Mark] public sealed class Counter
            {
                static Counter() => Environment.SetEnvironmentVariable("SERVE_TEST_RAN", "static");
                [Mark, Microsoft.AspNetCore.Mvc.HttpGet("/x")] public int Get([Mark] int x) => x;
            }
            """);

        Assert.Equal("Counter", found.Ingress);
        Assert.Null(Environment.GetEnvironmentVariable("SERVE_TEST_RAN"));
    }

    [Fact]
    public void Inspect_File_UnloadsItAgain()
    {
        using var code = UserCode.Compile("[Deployment] public sealed class Passing { public int Call() => 1; }", "PassingThrough");

        DeploymentInspector.Inspect(code.Assembly("PassingThrough"));

        CollectedItems.UntilTrue(() => AppDomain.CurrentDomain.GetAssemblies().All(loaded => loaded.GetName().Name != "PassingThrough"));
    }

    [Fact]
    public void Inspect_SeveralErrors_TellsAllOfThemAtOnce()
    {
        var error = Assert.Throws<DefinitionException>(() => Inspect("""
            [Deployment(MaxOngoingRequests = 0)] public sealed class First { public int A() => 1; public int A(int x) => x; }
            [Deployment] public abstract class Second;
            [Deployment("First")] public sealed class Third { public Third() { } public Third(int x) { } }
            """));

        Assert.Contains(error.Errors, line => line.Contains("max_ongoing_requests: must be"));
        Assert.Contains(error.Errors, line => line.Contains("First.A is overloaded"));
        Assert.Contains(error.Errors, line => line.Contains("Second is abstract"));
        Assert.Contains(error.Errors, line => line.Contains("Third has 2 public constructors"));
        Assert.Contains(error.Errors, line => line.Contains("Two deployments are named First: First and Third"));
        Assert.Contains(error.Errors, line => line.Contains("Several classes could be the ingress"));
    }

    [Theory]
    [InlineData("public class Counter; public class Other;", "App has no class with [Deployment]. Add the attribute to the class to serve; the public classes are Counter, Other.")]
    [InlineData("class Hidden;", "Declare one:")]
    [InlineData("[Deployment] public static class A { }", "A is static")]
    [InlineData("[Deployment] public class A<T>;", "A`1 is generic")]
    [InlineData("[Deployment] public class A { private A() { } }", "A has no public constructor")]
    [InlineData("[Deployment(\"a/b\")] public class A;", "a/b.name: 'a/b' must")]
    [InlineData("[Deployment(\"a#b\")] public class A;", "a#b.name: 'a#b' must")]
    [InlineData("[Deployment(NumReplicas = -1)] public class A;", "[Deployment] of A: A.num_replicas: must be")]
    [InlineData("[Deployment(NumReplicas = 10001)] public class A;", "A.num_replicas: must be")]
    [InlineData("[Deployment(MaxQueuedRequests = -2)] public class A;", "A.max_queued_requests: must be")]
    [InlineData("[Deployment(HealthCheckPeriodS = 0)] public class A;", "A.health_check_period_s: must be more than 0")]
    [InlineData("[Deployment(HealthCheckTimeoutS = double.NaN)] public class A;", "A.health_check_timeout_s: must be")]
    [InlineData("[Deployment(GracefulShutdownTimeoutS = -1)] public class A;", "A.graceful_shutdown_timeout_s: must be at least 0")]
    [InlineData("[Deployment(NumGpus = 1.5)] public class A;", "A.actor_options.num_gpus: must be an integer if above 1")]
    [InlineData("[Deployment(NumCpus = -0.5)] public class A;", "A.actor_options.num_cpus: must be")]
    [InlineData("[Deployment(Memory = -1)] public class A;", "A.actor_options.memory: must be")]
    [InlineData("[Deployment(Concurrency = (ConcurrencyMode)7)] public class A;", "A.concurrency: must be")]
    [InlineData("[Deployment] public class A { public T Get<T>(T x) => x; }", "A.Get is generic or has ref")]
    [InlineData("[Deployment] public class A { public void Get(out int x) => x = 1; }", "A.Get is generic or has ref")]
    [InlineData("[Deployment] public class A { public bool CheckHealth() => true; }", "A.CheckHealth is a hook and must be")]
    [InlineData("[Deployment] public class A { public void CheckHealth(int x) { } }", "A.CheckHealth is a hook and must be")]
    [InlineData("[Deployment] public class A { public async void CheckHealth() { await Task.Yield(); } }", "A.CheckHealth is a hook and must be")]
    [InlineData("[Deployment] public class A { public void Reconfigure() { } }", "A.Reconfigure is a hook and must be")]
    [InlineData("[Deployment] public class A { public void Reconfigure(int x) { } public void Reconfigure(string x) { } }", "A has 2 methods Reconfigure")]
    [InlineData("[Deployment] public class A : IReconfigurable<int>, IReconfigurable<string> { void IReconfigurable<int>.Reconfigure(int x) { } void IReconfigurable<string>.Reconfigure(string x) { } }", "A has 2 methods Reconfigure")]
    [InlineData("[Deployment] public class A { public static int ConfigureServices() => 1; }", "A.ConfigureServices is a hook and must be")]
    [InlineData("[Deployment] public class A : IIngress { public int Call() => 1; public void Map(Microsoft.AspNetCore.Routing.IEndpointRouteBuilder r) { } }", "so Call would not be reachable over HTTP")]
    [InlineData("[Deployment] public class A : IIngress { [Microsoft.AspNetCore.Mvc.HttpGet] public int Get() => 1; public void Map(Microsoft.AspNetCore.Routing.IEndpointRouteBuilder r) { } }", "so Get would not be reachable over HTTP")]
    [InlineData("[Deployment] public class A { [Microsoft.AspNetCore.Mvc.HttpGet(\"/{x\")] public int Get(int x) => 1; }", "A.Get: the route '/{x' is malformed")]
    [InlineData("[Deployment] public class A { [Microsoft.AspNetCore.Mvc.HttpGet(\"x\")] public int First() => 1; [Microsoft.AspNetCore.Mvc.HttpGet(\"/X\")] public int Second() => 1; }", "First and Second have the same route [HttpGet(\"x\")]")]
    [InlineData("[Deployment] public class A(DeploymentHandle<Plain> x) { public object Call() => x; } public class Plain;", "has a handle to Plain, which is not a deployment")]
    [InlineData("[Deployment] public class A(DeploymentHandle missing) { public object Call() => missing; }", "has a handle 'missing', but no deployment of that name exists")]
    [InlineData("[Deployment] public class A(DeploymentHandle<A> self) { public object Call() => self; }", "Circular handle dependency: A -> A")]
    [InlineData("[Deployment] public class A(DeploymentHandle<B> b) { public object Call() => b; } [Deployment] public class B(DeploymentHandle<C> c) { public object Call() => c; } [Deployment] public class C(DeploymentHandle<B> b) { public object Call() => b; }", "Circular handle dependency: B -> C -> B")]
    [InlineData("[Deployment] public class A; [Deployment] public class B;", "Several classes could be the ingress: A, B. Name one, for example :A")]
    public void Inspect_OneMistake_NamesItAndNothingElse(string source, string expected)
    {
        var error = Assert.Throws<DefinitionException>(() => Inspect(source));

        Assert.Contains(expected, Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Pipelin", "Did you mean Pipeline?")]
    [InlineData("Nothing", "Class Nothing not found. The deployments are")]
    [InlineData("Plain", "Plain has no [Deployment]")]
    public void Inspect_UnknownType_NamesTheNearest(string typeName, string expected)
    {
        var error = Assert.Throws<DefinitionException>(() => Inspect(Chain + "public class Plain;", typeName));

        Assert.Contains(expected, Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_MissingFile_Throws()
    {
        var error = Assert.Throws<DefinitionException>(() => DeploymentInspector.Inspect("/nowhere/App.dll"));

        Assert.Contains("/nowhere/App.dll does not exist", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_NoAssembly_Throws()
    {
        using var code = new UserCode();
        File.WriteAllText(code.Assembly(), "not an assembly");

        var error = Assert.Throws<DefinitionException>(() => DeploymentInspector.Inspect(code.Assembly()));

        Assert.Contains("cannot be loaded as a .NET assembly", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_MissingDependency_NamesIt()
    {
        using var code = new UserCode();
        var dependency = code.Add("public class Needed;", "Needed");
        code.Add("[Deployment] public sealed class A(Needed needed) { public object Call() => needed; }", "App", dependency);
        File.Delete(dependency);

        var error = Assert.Throws<DefinitionException>(() => DeploymentInspector.Inspect(code.Assembly()));

        Assert.Contains("Needed", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    private static InspectedApplication Inspect(string source, string? typeName = null)
    {
        using var code = UserCode.Compile(source);
        return DeploymentInspector.Inspect(code.Assembly(), typeName);
    }
}
