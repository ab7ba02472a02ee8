namespace Serve.Generators.Tests;

public sealed class DeploymentHandleGeneratorTests
{
    [Fact]
    public async Task Calculator_AsInTheDocs_CompilesAndRuns()
    {
        // The class and the calls are those of the documentation.
        var target = await CompiledUserCode.From("""
            [Deployment(NumReplicas = 2, MaxOngoingRequests = 32)]
            public sealed class Calculator(ILogger<Calculator> log)
            {
                [HttpGet("/square/{x}")]
                public int Square(int x) => x * x;

                [HttpPost("/sum")]
                public Result Sum(Numbers body, CancellationToken stop) => new(body.Values.Sum());

                [HttpGet("/tokens")]
                public async IAsyncEnumerable<string> Tokens([FromQuery] int n)
                {
                    for (var i = 0; i < n; i++)
                    {
                        await Task.Yield();
                        yield return $"t{i}";
                    }
                }
            }

            public sealed record Numbers(int[] Values);
            public sealed record Result(int Sum);

            public static class Test
            {
                public static async Task Main(Serve.Calls.ICallTarget target)
                {
                    var calc = new DeploymentHandle<Calculator>(target, "Calculator");
                    int nine = await calc.Square.Remote(3);
                    if (nine != 9)
                        throw new Exception($"{nine}");
                    List<string> tokens = [];
                    await foreach (var t in calc.Tokens.Stream(2))
                        tokens.Add(t);
                    if (tokens is not ["t0", "t1"])
                        throw new Exception(string.Join(" ", tokens));
                    var numbers = new Numbers([1, 2]);
                    var slow = calc.Sum.Options(timeout: 2.Seconds, multiplexedModelId: "m1").Remote(numbers);   // starts now
                    if ((await slow).Sum != 3)
                        throw new Exception("sum");
                    slow.Cancel();
                }
            }
            """).RunAsync("Calculator");

        Assert.Equal(["typed Square(3)", "typed Tokens(2)", "typed Sum(Numbers { Values = System.Int32[] })"], target.Calls);
        Assert.True(target.LastToken.CanBeCanceled);
    }

    [Fact]
    public async Task Pipeline_AsInTheDocs_PassesAResponseOnWithoutAwaiting()
    {
        var target = await CompiledUserCode.From("""
            [Deployment]
            public sealed class Pipeline(DeploymentHandle<Resize> resize, DeploymentHandle<Classify> classify)
            {
                public async Task<Label> Call(Image image) => await classify.Call.Remote(resize.Call.Remote(image));
            }

            [Deployment] public sealed class Resize { public async Task<Image> Call(Image image) { await Task.Yield(); return image with { Size = 1 }; } }
            [Deployment] public sealed class Classify { public Label Call(Image image) => new($"size {image.Size}"); }
            public sealed record Image(int Size);
            public sealed record Label(string Text);

            [Deployment]
            public sealed class Both
            {
                private readonly Resize resize = new();
                public Task<Image> Resize(Image image) => resize.Call(image);
                public Label Classify(Image image, int times) => new($"size {image.Size} times {times}");
            }

            public static class Test
            {
                public static async Task Main(Serve.Calls.ICallTarget target)
                {
                    var both = new DeploymentHandle<Both>(target, "Both");
                    var label = await both.Classify.Remote(both.Resize.Remote(new Image(7)), 2);
                    if (label.Text != "size 1 times 2")
                        throw new Exception(label.Text);
                }
            }
            """).RunAsync("Both");

        Assert.Equal(["typed Resize(Image { Size = 7 })", "typed Classify(Image { Size = 1 }, 2)"], target.Calls);
    }

    [Fact]
    public async Task EveryReturnType_IsAwaitedOrStreamed()
    {
        var target = await CompiledUserCode.From("""
            [Deployment]
            public class All
            {
                public void Nothing() { }
                public int Value(int a) => a;
                public string? Maybe(string? a) => a;
                public Task Task() => System.Threading.Tasks.Task.CompletedTask;
                public async Task<int> TaskOfValue(int a) { await System.Threading.Tasks.Task.Yield(); return a; }
                public ValueTask ValueTask(int a, int b) => default;
                public ValueTask<int> ValueTaskOfValue(int a, int b, int c) => new(a + b + c);
                public async IAsyncEnumerable<(int Left, string Right)> Stream(int a, int b, int c, CancellationToken stop, int d)
                {
                    await System.Threading.Tasks.Task.Yield();
                    stop.ThrowIfCancellationRequested();
                    yield return (a + b + c + d, "x");
                }
                public Task<IAsyncEnumerable<int>> TaskOfStream() => System.Threading.Tasks.Task.FromResult(Two());
                public ValueTask<IAsyncEnumerable<int>> ValueTaskOfStream() => new(Two());
                private static async IAsyncEnumerable<int> Two() { await System.Threading.Tasks.Task.Yield(); yield return 2; }
            }

            public static class Test
            {
                public static async Task Main(Serve.Calls.ICallTarget target)
                {
                    var all = new DeploymentHandle<All>(target, "All");
                    object? none = await all.Nothing.Remote();
                    none ??= await all.Task.Remote();
                    none ??= await all.ValueTask.Remote(1, 2);
                    string? maybe = await all.Maybe.Remote(null);
                    int sum = await all.Value.Remote(1) + await all.TaskOfValue.Remote(2) + await all.ValueTaskOfValue.Remote(3, 4, 5);
                    await foreach (var item in all.Stream.Stream(1, 2, 3, 4))
                        sum += item.Left;
                    await foreach (var item in all.TaskOfStream.Stream())
                        sum += item;
                    await foreach (var item in all.ValueTaskOfStream.Stream())
                        sum += item;
                    if (none is not null || maybe is not null || sum != 29)
                        throw new Exception($"{none} {maybe} {sum}");
                }
            }
            """).RunAsync("All");

        Assert.Equal(
            [
                "typed Nothing()", "typed Task()", "typed ValueTask(1, 2)", "typed Maybe(null)", "typed Value(1)", "typed TaskOfValue(2)",
                "typed ValueTaskOfValue(3, 4, 5)", "typed Stream(1, 2, 3, 4)", "typed TaskOfStream()", "typed ValueTaskOfStream()",
            ],
            target.Calls);
    }

    [Fact]
    public async Task DefaultsParamsAndManyParameters_ReadLikeTheMethodItself()
    {
        var target = await CompiledUserCode.From("""
            [Deployment]
            public class Rich
            {
                public string Defaults(int a, string b = "x\"y", double c = double.NaN, DayOfWeek d = DayOfWeek.Friday) => $"{a} {b} {c} {d}";
                public string More(long? a = 5, decimal b = 1.5m, char c = '\'', DateTime d = default) => $"{a} {b} {c} {d.Year}";
                public int Only(int a = 3) => a;
                public int Many(int a, int b, int c, int d, int[] e, CancellationToken stop, string @class = "z") => 0;
                public int Rest(int a, params int[] rest) => a + rest.Sum();
                public async IAsyncEnumerable<int> Items(int n = 2) { await Task.Yield(); yield return n; }
            }

            public static class Test
            {
                public static async Task Main(Serve.Calls.ICallTarget target)
                {
                    var rich = new DeploymentHandle<Rich>(target, "Rich");
                    Same("1 x\"y NaN Friday", await rich.Defaults.Remote(1));
                    Same("1 q NaN Monday", await rich.Defaults.Options(requestId: "r").Remote(1, d: DayOfWeek.Monday, b: "q"));
                    Same("5 1.5 ' 1", await rich.More.Remote());
                    Same("3", $"{await rich.Only.Remote()}");
                    Same("4", $"{await rich.Only.Remote(rich.Only.Remote(4))}");
                    Same("6", $"{await rich.Rest.Remote(1, 2, 3)}");
                    await rich.Many.Remote(1, 2, 3, 4, [5, 6]);
                    await rich.Many.Remote(rich.Only.Remote(), 2, 3, 4, new[] { 5 }, @class: "k");
                    await foreach (var item in rich.Items.Stream())
                        Same("2", $"{item}");
                }

                private static void Same(string expected, string got)
                {
                    if (expected != got)
                        throw new Exception($"expected {expected}, got {got}");
                }
            }
            """).RunAsync("Rich");

        Assert.Contains("named Many(1, 2, 3, 4, [5, 6], z)", target.Calls);
        Assert.Contains("named Many(3, 2, 3, 4, [5], k)", target.Calls);
    }

    [Theory]
    [InlineData("namespace My.Own; [Deployment] public class C { public int M() => 1; }", "public static class My_Own_CHandle")]
    [InlineData("[Deployment] public class C { public int M() => 1; }", "public static class CHandle")]
    [InlineData("[Deployment] class C { public int M() => 1; }", "internal static class CHandle")]
    [InlineData("internal class Outer { [Deployment] public class C { public int M() => 1; } }", "internal static class Outer_CHandle")]
    [InlineData("[Deployment] public sealed record C { public int M() => 1; }", "public static class CHandle")]
    [InlineData("[Deployment] public class @class { public int M() => 1; }", "public static class classHandle")]
    public void Class_WhereverItIs_GetsAHandleAsVisibleAsItself(string source, string expected)
    {
        var compiled = CompiledUserCode.From(source);

        Assert.Empty(compiled.Problems());
        Assert.Empty(compiled.Findings);
        Assert.Contains(expected, compiled.Generated, StringComparison.Ordinal);
        Assert.Contains(" M => ", compiled.Generated, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KeywordsAndInheritance_AreCalledAsDeclared()
    {
        var target = await CompiledUserCode.From("""
            public abstract class Base
            {
                public virtual int Shared(int @int) => @int;
                public int Own() => 5;
            }

            [Deployment]
            public class Derived : Base
            {
                public override int Shared(int @int) => @int + 1;
                public int @event(int @params) => @params;
                public override string ToString() => "no method of the handle";
            }

            public static class Test
            {
                public static async Task Main(Serve.Calls.ICallTarget target)
                {
                    var handle = new DeploymentHandle<Derived>(target, "Derived");
                    if (await handle.Shared.Remote(1) + await handle.Own.Remote() + await handle.@event.Remote(3) != 10)
                        throw new Exception();
                }
            }
            """).RunAsync("Derived");

        Assert.Equal(["typed Shared(1)", "typed Own()", "typed event(3)"], target.Calls);
    }

    [Fact]
    public void HooksAndHttpOnlyMethods_AreLeftOut()
    {
        var compiled = CompiledUserCode.From("""
            using Microsoft.AspNetCore.Routing;

            [Deployment]
            public class Web : IIngress, ISelfCheck, IReconfigurable<int>, IAsyncDisposable
            {
                public void Map(IEndpointRouteBuilder routes) { }
                public ValueTask CheckHealth(CancellationToken stop) => default;
                public void Reconfigure(int config) { }
                public ValueTask DisposeAsync() => default;
                public int Property { get; set; }
                public static int Static() => 1;
                internal int Hidden() => 1;
                public Task Raw(HttpContext context) => Task.CompletedTask;
                public string Header(HttpRequest? request) => "";
                public IResult Result() => Results.Ok();
                public async Task<IResult> ResultLater() { await Task.Yield(); return Results.Ok(); }
                public string Injected([FromServices] ILogger<Web> log) => "";
                public int Kept() => 1;
            }
            """);

        Assert.Empty(compiled.Problems());
        Assert.Empty(compiled.Findings);
        Assert.Equal(1, System.Text.RegularExpressions.Regex.Count(compiled.Generated, "<summary>The method <c>"));
        Assert.Contains(" Kept => ", compiled.Generated, StringComparison.Ordinal);
    }

    [Fact]
    public void Mistakes_AreFoundWhereTheyStand()
    {
        var compiled = CompiledUserCode.From("""
            [Deployment] public class Generic<T> { public int M() => 1; }
            [Deployment] public abstract class Abstract { public int M() => 1; }
            [Deployment] public static class Static { }
            [Deployment] public class Two { public Two() { } public Two(int a) { } }
            [Deployment] public class None { private None() { } }
            [Deployment]
            public class Methods
            {
                public int Overloaded() => 1;
                public int Overloaded(int a) => 1;
                public T Any<T>(T a) => a;
                public int ByRef(ref int a) => a;
                public bool Try(out int a) { a = 1; return true; }
                public int Span(ReadOnlySpan<int> a) => a.Length;
                public ReadOnlySpan<int> SpanBack() => default;
                public int Options() => 1;
                public int Fine() => 1;
            }
            file class Outer { [Deployment] private class Inner { public int M() => 1; } }
            [Deployment] file class FileLocal { public int M() => 1; }
            """);

        Assert.Equal(
            [
                "1: Error SERVE001 'Generic' is generic; a deployment must be a class that can be instantiated",
                "2: Error SERVE001 'Abstract' is abstract; a deployment must be a class that can be instantiated",
                "3: Error SERVE001 'Static' is static; a deployment must be a class that can be instantiated",
                "4: Error SERVE002 'Two' has 2 public constructors; a deployment must have exactly one, which receives the injected services",
                "5: Error SERVE002 'None' has no public constructors; a deployment must have exactly one, which receives the injected services",
                "10: Error SERVE003 'Methods.Overloaded' is overloaded, but methods are called by name; rename one overload or make it internal",
                "11: Error SERVE004 'Methods.Any' is generic and cannot be called through a handle; make it internal",
                "12: Error SERVE004 'Methods.ByRef' takes ref, in or out parameters and cannot be called through a handle; make it internal",
                "13: Error SERVE004 'Methods.Try' takes ref, in or out parameters and cannot be called through a handle; make it internal",
                "14: Error SERVE004 'Methods.Span' takes a span or a pointer and cannot be called through a handle; make it internal",
                "15: Error SERVE004 'Methods.SpanBack' returns a span or a pointer and cannot be called through a handle; make it internal",
                "16: Warning SERVE005 'Methods.Options' has the same name as a member of DeploymentHandle<Methods>; call it by name: handle.ToDeploymentHandle().Method(\"Options\")",
                "19: Info SERVE006 'Inner' is private or protected, so no typed handle is generated for it; make it internal or public",
                "20: Info SERVE006 'FileLocal' is file-local, so no typed handle is generated for it; make it internal or public",
            ],
            compiled.Findings);
        Assert.Empty(compiled.Problems());
        Assert.Contains(" Fine => ", compiled.Generated, StringComparison.Ordinal);
    }

    [Fact]
    public void OldLanguage_SaysSoAndGeneratesNothing()
    {
        var compiled = CompiledUserCode.From("[Deployment] public class C { public int M() => 1; }", Microsoft.CodeAnalysis.CSharp.LanguageVersion.CSharp13);

        Assert.Equal(
            "1: Warning SERVE007 Typed handles require C# 14: remove LangVersion from the project or set it to 14; until then call by name: handle.ToDeploymentHandle().Method(name)",
            Assert.Single(compiled.Findings));
        Assert.Empty(compiled.Run.GeneratedTrees);
        Assert.Empty(compiled.Problems());
    }

    [Fact]
    public void UnrelatedEdit_ReadsNothingAgain()
    {
        var (driver, compilation) = CompiledUserCode.Start("[Deployment] public class C { public int M(string? a, int b = 1) => 1; }");
        driver = driver.RunGenerators(compilation);

        var edited = compilation.AddSyntaxTrees(Microsoft.CodeAnalysis.CSharp.CSharpSyntaxTree.ParseText(
            "public class Other;", Microsoft.CodeAnalysis.CSharp.CSharpParseOptions.Default.WithLanguageVersion(Microsoft.CodeAnalysis.CSharp.LanguageVersion.CSharp14)));
        var steps = driver.RunGenerators(edited).GetRunResult().Results.Single(each => each.TrackedSteps.ContainsKey(DeploymentHandleGenerator.ReadStep)).TrackedSteps[DeploymentHandleGenerator.ReadStep];

        Assert.All(
            steps.SelectMany(step => step.Outputs),
            output => Assert.Contains(
                output.Reason,
                new[] { Microsoft.CodeAnalysis.IncrementalStepRunReason.Unchanged, Microsoft.CodeAnalysis.IncrementalStepRunReason.Cached }));
    }

    [Fact]
    public void NamesThatLookAlike_DoNotCollide()
    {
        var compiled = CompiledUserCode.From("""
            namespace A.B { [Deployment] public class C { public int M(int a = 1) => 1; public int MMethod() => 1; public int M_() => 1; } }
            namespace A { [Deployment] public class B_C { public int M() => 1; } }
            namespace A_B { [Deployment] public class C { public int M() => 1; } }
            """);

        Assert.Empty(compiled.Problems());
        Assert.Equal(3, compiled.Run.GeneratedTrees.Length);
    }

    [Fact]
    public void PublicClassInAnInternalOne_WithInternalTypes_Compiles()
    {
        var compiled = CompiledUserCode.From("""
            namespace My;
            internal sealed record Hidden(int A);
            [Deployment] internal sealed class C { public Hidden M(Hidden a, List<Hidden>? b = null) => a; public async IAsyncEnumerable<Hidden> S(Hidden[] a) { await Task.Yield(); yield return a[0]; } }
            """);

        Assert.Empty(compiled.Problems());
    }
}
