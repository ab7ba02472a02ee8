using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Serve.Generators.Tests;

public sealed class RemoteCallerGeneratorTests
{
    [Fact]
    public async Task Functions_OfEveryShape_CompileAndRun()
    {
        var compiled = CompiledUserCode.From("""
            namespace My
            {
                public record Base(int A);
                public sealed record Derived(int A) : Base(A);

                public static class Demo
                {
                    [Remote] public static double[] GenerateData() => [1, 2];
                    [Remote] public static double[] Aggregate(double[] x, double[] y) => x.Zip(y, (a, b) => a + b).ToArray();
                    [Remote] public static int Value(Base a) => a.A;
                    [Remote] public static void Nothing(string? a) { }
                    [Remote] public static Task Later(Cluster? ray, CancellationToken stop) => ray == Cluster.Current ? Task.CompletedTask : throw new Exception();
                    [Remote] public static ValueTask VoidLater(int @int, int @event) => default;
                    [Remote] public static ValueTask<int> Five(int a, int b, int c, int d, long? e = 5) => new(a + b + c + d + (int)(e ?? 0));
                    [Remote] public static async Task<(int Quotient, int Remainder)> DivMod(int a, int b) { await Task.Yield(); return (a / b, a % b); }
                    [Remote] public static int Mixed(object a, IReadOnlyList<int> b, IEnumerable<Base> c, params int[] d) => b.Count + c.Count() + d.Length;
                    [Remote] internal static Dictionary<string, List<int?>> @class(Dictionary<string, List<int?>>? a = null) => a ?? [];
                    [Remote] public static IAsyncEnumerable<int> Stream(int n) => throw new NotSupportedException();
                    [Remote] public static Task<IAsyncEnumerable<int>> StreamLater(IEnumerable<int> n) => throw new NotSupportedException();
                    [Remote] public static ObjectRef<int> Nested(ObjectRef<int> a, List<ObjectRef<int>> b) => a;
                }
            }

            public static class Test
            {
                public static async Task Main(Cluster ray)
                {
                    await My.Inside.Of(ray);
                }
            }

            namespace My
            {
                public static class Inside
                {
                    public static async Task Of(Cluster ray)
                    {
                        ObjectRef<double[]> data = ray.Demo.GenerateData.Remote();
                        double[] sum = await ray.Demo.Aggregate.Remote(data, ray.Demo.GenerateData.Options(new() { Name = "x", NumCpus = 0.1 }).Remote());
                        Same("2 4", string.Join(" ", sum));
                        Same("1", await ray.Demo.Value.Remote(ray.Put(new Derived(1))));
                        Same("2", await ray.Demo.Value.Remote(new Derived(2)));
                        object? none = await ray.Demo.Nothing.Remote(ray.Put("a"));
                        none ??= await ray.Demo.Nothing.Remote(ray.Put<string?>(null));
                        none ??= await ray.Demo.Nothing.Remote(null);
                        none ??= await ray.Demo.Later.Remote();
                        none ??= await ray.Demo.VoidLater.Remote(1, @event: ray.Put(2));
                        Same("", none ?? "");
                        ObjectRef<int> one = ray.Put(1);
                        Same("15", await ray.Demo.Five.Remote(1, 2, 3, 4));
                        Same("15", await ray.Demo.Five.Remote(one, 2, 3, 4));
                        Same("9", await ray.Demo.Five.Remote(one, one, one, 1, e: ray.Put<long?>(5)));
                        (int q, int r) = await ray.Demo.DivMod.Remote(7, ray.Put(2));
                        Same("3 1", $"{q} {r}");
                        Same("3", await ray.Demo.Mixed.Remote(one, ray.Put(new[] { 1 }), ray.Put(new List<Derived> { new(1) }), new[] { 1 }));
                        Same("3", await ray.Demo.Mixed.Remote(one, [1], [new Derived(1)], 1));
                        Same("2", await ray.Demo.Mixed.Remote(1, ray.Put(new[] { 1 }), [new Base(1)]));
                        Same("0", (await ray.Demo.@class.Remote()).Count);
                        Same("1", (await ray.Demo.@class.Remote(ray.Put(new Dictionary<string, List<int?>> { ["a"] = [null] }))).Count);
                        Same("1", await await ray.Demo.Nested.Remote(one, [one]));
                    }

                    private static void Same(string expected, object got)
                    {
                        if (expected != $"{got}")
                            throw new Exception($"expected {expected}, got {got}");
                    }
                }
            }
            """);

        Assert.Empty(compiled.Findings);
        Assert.Empty(compiled.Warnings());
        await compiled.RunOnClusterAsync();
    }

    [Fact]
    public void Actors_TheirConstructorsMethodsAndStreams_Compile()
    {
        var compiled = CompiledUserCode.From("""
            public abstract class Base { public int Inherited(string a) => 1; }

            [Remote(MaxRestarts = 3)]
            public sealed class Counter(int start, string? name = null) : Base, IAsyncDisposable
            {
                public int Increment(int by = 1) => start += by;
                public async Task<int> Later(IEnumerable<int> by, CancellationToken stop) { await Task.Yield(); return by.Sum(); }
                public async IAsyncEnumerable<string> Names() { await Task.Yield(); yield return name ?? ""; }
                public void Reset() { }
                public override string ToString() => "no method of the handle";
                public ValueTask DisposeAsync() => default;
                public int Property { get; set; }
                internal int Hidden() => 1;
                [Remote] public static int Twice(int a) => 2 * a;
            }

            [Deployment, Remote] public sealed class Both { public int Square(int a) => a * a; }

            public static class Test
            {
                public static async Task Main(Cluster ray)
                {
                    ActorHandle<Counter> a = ray.Counter.Remote(1);
                    a = ray.Counter.Options(new() { Name = "c" }).Remote(ray.Put(1), name: "n");
                    a = ray.Counter.Remote(1, ray.Put("n"));
                    int n = await a.Increment.Remote();
                    n += await a.Increment.Options(new() { MaxTaskRetries = 2 }).Remote(ray.Counter.Twice.Remote(2));
                    n += await a.Later.Remote(ray.Put(new List<int> { 1 }));
                    n += await a.Inherited.Remote("a");
                    object? none = await a.Reset.Remote();
                    await foreach (ObjectRef<string> name in a.Names.Remote())
                        n += (await name).Length;
                    n += await ray.Both.Remote().Square.Remote(3);
                }
            }
            """);

        Assert.Empty(compiled.Findings);
        Assert.Empty(compiled.Problems());
        Assert.Empty(compiled.Warnings());
        Assert.Contains("new global::Serve.RemoteAttribute { MaxRestarts = 3 }", compiled.Generated, StringComparison.Ordinal);
        Assert.DoesNotContain("Hidden", compiled.Generated, StringComparison.Ordinal);
        Assert.DoesNotContain("ToString", compiled.Generated, StringComparison.Ordinal);
        Assert.DoesNotContain("DisposeAsync", compiled.Generated, StringComparison.Ordinal);
    }

    [Fact]
    public void Remote_WrongArguments_DoNotCompile()
    {
        var compiled = CompiledUserCode.From("""
            public static class Demo { [Remote] public static int Add(int a, IEnumerable<int> b) => a; }
            public static class Test
            {
                public static void Main(Cluster ray)
                {
                    ray.Demo.Add.Remote("a", [1]);
                    ray.Demo.Add.Remote(1);
                    ray.Demo.Add.Remote(ray.Put("a"), [1]);
                    ray.Demo.Add.Remote(1, ray.Put(new[] { "a" }));
                    ray.Demo.Ad.Remote(1, [1]);
                    ray.Dem.Add.Remote(1, [1]);
                }
            }
            """);

        Assert.Equal([6, 7, 8, 9, 10, 11], compiled.Compilation.GetDiagnostics()
            .Where(each => each.Severity == DiagnosticSeverity.Error)
            .Select(each => each.Location.GetLineSpan().StartLinePosition.Line + 1).Order());
    }

    [Theory]
    [InlineData("namespace My.Own; public static class C { [Remote] public static int M() => 1; }", "namespace My.Own", "public static class My_Own_C_Remote")]
    [InlineData("public static class C { [Remote] public static int M() => 1; }", "public static class C_Remote", "public M_Function M")]
    [InlineData("public static class C { [Remote] internal static int M() => 1; }", "public static class C_Remote", "internal M_Function M")]
    [InlineData("static class C { [Remote] public static int M() => 1; }", "internal static class C_Remote", "internal M_Function M")]
    [InlineData("class Outer { public static partial class C { [Remote] public static int M() => 1; } }", "internal static class Outer_C_Remote", "All_Functions C =>")]
    [InlineData("public interface C { [Remote] public static int M() => 1; }", "public static class C_Remote", "public M_Function M")]
    [InlineData("public struct C { [Remote] public static int M() => 1; }", "public static class C_Remote", "public M_Function M")]
    [InlineData("[Remote] public sealed record C(int A) { public int M() => 1; }", "New_Actor C =>", "Methods.M_Method M =>")]
    [InlineData("namespace @event; [Remote] public class @class { public int @int() => 1; }", "New_Actor @class =>", "Methods.int_Method @int =>")]
    [InlineData("public partial class C { [Remote] public static int M() => 1; } public partial class C { [Remote] public static int N() => 1; }", "M_Function M", "N_Function N")]
    public void Class_WhereverItIs_GetsCallersAsVisibleAsItself(string source, string first, string second)
    {
        var compiled = CompiledUserCode.From(source);

        Assert.Empty(compiled.Problems());
        Assert.Empty(compiled.Findings);
        Assert.Contains(first, compiled.Generated, StringComparison.Ordinal);
        Assert.Contains(second, compiled.Generated, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attribute_WithEverySetting_IsMadeAgainAtTheCall()
    {
        var compiled = CompiledUserCode.From("""
            public static class Demo
            {
                [Remote(NumCpus = 0.5, NumGpus = double.PositiveInfinity, Memory = 1L << 40, Resources = "tp\"u=1,disk=0.5", Isolation = Isolation.None, MaxRetries = -1,
                    RetryOn = new[] { typeof(InvalidOperationException), typeof(List<int>) }, TimeoutSeconds = 1.5)]
                public static int All() => 1;

                [Remote(RetryOn = [typeof(Hidden)], NumCpus = 2)]
                public static int Private() => 1;

                private sealed class Hidden : Exception;
            }

            public static class Test
            {
                public static async Task Main(Cluster ray)
                {
                    if (await ray.Demo.Private.Remote() != 1)
                        throw new Exception();
                }
            }
            """);

        Assert.Empty(compiled.Findings);
        Assert.Contains(
            "new global::Serve.RemoteAttribute { NumCpus = (double)(0.5d), NumGpus = (double)(double.PositiveInfinity), Memory = 1099511627776, Resources = \"tp\\\"u=1,disk=0.5\", "
            + "Isolation = (global::Serve.Isolation)(1), MaxRetries = -1, RetryOn = new global::System.Type[] { typeof(global::System.InvalidOperationException), "
            + "typeof(global::System.Collections.Generic.List<int>) }, TimeoutSeconds = (double)(1.5d) }",
            compiled.Generated,
            StringComparison.Ordinal);
        await compiled.RunOnClusterAsync();
    }

    [Fact]
    public void Mistakes_AreFoundWhereTheyStand()
    {
        var compiled = CompiledUserCode.From("""
            using System.Linq.Expressions;
            public static class Demo
            {
                [Remote] public static T Generic<T>(T a) => a;
                [Remote] public static int ByRef(ref int a) => a;
                [Remote] public static int Span(ReadOnlySpan<int> a) => a.Length;
                [Remote] public static unsafe int Pointer(int* a) => 1;
                [Remote] public static ReadOnlySpan<int> SpanBack() => default;
                [Remote] public static async void Forgotten() => await Task.Yield();
                [Remote] public static int Overloaded() => 1;
                [Remote] public static int Overloaded(int a) => 1;
                public static int Overloaded(string notRemote) => 1;
                [Remote] private static int Hidden() => 1;
                [Remote] public static int Code(Func<int, int> a, Action<string> b) => 1;
                [Remote] public static int Tree(Expression<Func<int>> a) => 1;
                [Remote] public static int Running(Task<int> a, ValueTask b) => 1;
                [Remote(Resources = "tpu")] public static int Unreadable() => 1;
                [Remote(Resources = "tpu=-1")] public static int Negative() => 1;
                [Remote(Resources = "tpu=1, disk=0.5")] public static int Fine() => 1;
                [Remote] public static new string ToString() => "";
            }
            public class Plain { [Remote] public int Instance() => 1; }
            public class Generic<T> { [Remote] public static int M() => 1; }
            [Remote] public abstract class Abstract { public int M() => 1; }
            [Remote] public static class Static { public static int M() => 1; }
            [Remote] public class Two { public Two() { } public Two(int a) { } }
            [Remote] public class None { private None() { } }
            [Remote] public class Required { public required int A { get; set; } }
            [Remote(ConcurrencyGroups = "io=0.5")] public class Groups { }
            [Remote]
            public class Actor1(Func<int> code)
            {
                public int Overloaded() => 1;
                public int Overloaded(int a) => code();
                public T Any<T>(T a) => a;
                public int Kill() => 1;
                public int Id() => 1;
                [Remote] public int Marked() => 1;
                [Remote] public static int Options() => 1;
            }
            public static class Outer { [Remote] private class Inner { } }
            file static class FileLocal { [Remote] public static int M() => 1; }
            public static class Put { [Remote] public static int M() => 1; }
            public static class Around { public static int M() { return Local(); [Remote] static int Local() => 1; } }
            public class Batching { [Batch] public virtual int[] Sums(int[] a) => a; }
            [Remote]
            public class Actor2 : Batching
            {
                public override int[] Sums(int[] a) => a;
                [Multiplexed] public string Load(string id) => id;
                [Remote, Batch] public static int[] Task(int[] a) => a;
            }
            """);

        Assert.Equal(
            [
                "4: Error SERVE011 'Demo.Generic' is generic and cannot be called remotely",
                "5: Error SERVE011 'Demo.ByRef' takes ref, in or out parameters and cannot be called remotely",
                "6: Error SERVE011 'Demo.Span' takes a span or a pointer and cannot be called remotely",
                "7: Error SERVE011 'Demo.Pointer' takes a span or a pointer and cannot be called remotely",
                "8: Error SERVE011 'Demo.SpanBack' returns a span or a pointer and cannot be called remotely",
                "9: Error SERVE011 'Demo.Forgotten' is async void, so its completion cannot be observed and cannot be called remotely",
                "10: Error SERVE012 'Demo.Overloaded' is overloaded, but workers find methods by name; rename one overload",
                "11: Error SERVE012 'Demo.Overloaded' is overloaded, but workers find methods by name; rename one overload",
                "13: Error SERVE013 'Demo.Hidden' is private or protected, so no caller can be generated for it; make it internal or public",
                "14: Warning SERVE017 'Demo.Code' takes the delegate 'a', which works in this process only, because code cannot be sent to a worker process; pass data instead",
                "14: Warning SERVE017 'Demo.Code' takes the delegate 'b', which works in this process only, because code cannot be sent to a worker process; pass data instead",
                "15: Warning SERVE017 'Demo.Tree' takes the expression 'a', which works in this process only, because code cannot be sent to a worker process; pass data instead",
                "16: Warning SERVE018 'Demo.Running' takes the task 'a', which cannot be sent to another process; declare the type of its result: an ObjectRef can be passed for it, and the call waits until that is ready",
                "16: Warning SERVE018 'Demo.Running' takes the task 'b', which cannot be sent to another process; declare the type of its result: an ObjectRef can be passed for it, and the call waits until that is ready",
                "17: Error SERVE019 Resources \"tpu\" is invalid: 'tpu' is not name=amount",
                "18: Error SERVE019 Resources \"tpu=-1\" is invalid: '-1' is not a number of 0 or more",
                "20: Error SERVE016 'Demo.ToString' has the same name as a member of 'ray.Demo', which takes precedence, and cannot be called remotely; rename it",
                "22: Error SERVE010 'Plain.Instance' is not static, but a task has no instance; make it static, or put [Remote] on the class to make it an actor",
                "23: Error SERVE014 'Generic' is generic and cannot be an actor or have remote functions",
                "24: Error SERVE014 'Abstract' is abstract and cannot be an actor",
                "25: Error SERVE014 'Static' is static and cannot be an actor; put [Remote] on its methods to make them remote functions",
                "26: Error SERVE015 'Two' has 2 public constructors; an actor must have exactly one",
                "27: Error SERVE015 'None' has no public constructors; an actor must have exactly one",
                "28: Error SERVE011 'Required.Required' leaves required members unset and cannot be called remotely",
                "29: Error SERVE019 ConcurrencyGroups \"io=0.5\" is invalid: '0.5' is not a whole number above 0",
                "31: Warning SERVE017 'Actor1.Actor1' takes the delegate 'code', which works in this process only, because code cannot be sent to a worker process; pass data instead",
                "34: Error SERVE012 'Actor1.Overloaded' is overloaded, but workers find methods by name; rename one overload",
                "35: Error SERVE011 'Actor1.Any' is generic and cannot be called remotely",
                "36: Error SERVE016 'Actor1.Kill' has the same name as ActorHandle<Actor1>.Kill, which takes precedence, and cannot be called remotely; rename it",
                "37: Error SERVE016 'Actor1.Id' has the same name as ActorHandle<Actor1>.Id, which takes precedence, and cannot be called remotely; rename it",
                "38: Error SERVE010 'Actor1.Marked' is not static, but a task has no instance; make it static, or put [Remote] on the class to make it an actor",
                "39: Error SERVE016 'Actor1.Options' has the same name as a member of 'ray.Actor1', which takes precedence, and cannot be called remotely; rename it",
                "41: Error SERVE013 'Inner' is private or protected, so no caller can be generated for it; make it internal or public",
                "42: Error SERVE013 'FileLocal' is file-local, so no caller can be generated for it; make it internal or public",
                "43: Error SERVE016 'Put' has the same name as Cluster.Put, which takes precedence, and cannot be called remotely; rename it",
                "44: Error SERVE011 'Around.Local' is a local function and cannot be called remotely",
                "49: Error SERVE023 'Actor2.Sums' has [Batch], which applies to deployments only and has no effect here; remove it, or make the class a [Deployment]",
                "50: Error SERVE023 'Actor2.Load' has [Multiplexed], which applies to deployments only and has no effect here; remove it, or make the class a [Deployment]",
                "51: Error SERVE023 'Actor2.Task' has [Batch], which applies to deployments only and has no effect here; remove it, or make the class a [Deployment]",
            ],
            compiled.Findings);
        Assert.DoesNotContain(compiled.Problems(), problem => problem.Contains(".g.cs", StringComparison.Ordinal));
        Assert.Contains(" Fine => ", compiled.Generated, StringComparison.Ordinal);
    }

    [Fact]
    public void TwoClassesOfOneName_InOneNamespace_AreFound()
    {
        var compiled = CompiledUserCode.From("""
            namespace N;
            public static class A { public static class Demo { [Remote] public static int M() => 1; } }
            public static class B { public static class Demo { [Remote] public static int M() => 1; } }
            """);

        Assert.Equal("3: Error SERVE021 'N.A.Demo' and 'N.B.Demo' would both become 'ray.Demo' in the same namespace; rename one of them", Assert.Single(compiled.Findings));
    }

    [Fact]
    public void OldLanguage_SaysSoAndGeneratesNothing()
    {
        var compiled = CompiledUserCode.From("[Remote] public class C { public int M() => 1; }", LanguageVersion.CSharp13);

        Assert.Equal(
            "1: Warning SERVE020 Typed callers of remote functions and actors require C# 14: remove LangVersion from the project or set it to 14",
            Assert.Single(compiled.Findings));
        Assert.Empty(compiled.Run.GeneratedTrees);
    }

    [Fact]
    public void UnrelatedEdit_ReadsAndWritesNothingAgain()
    {
        var (driver, compilation) = CompiledUserCode.Start("""
            public static class Demo { [Remote(Resources = "a=1")] public static int M(string? a, int b = 1) => 1; [Remote] private static int Wrong() => 1; }
            [Remote] public class Counter(int start) { public int Increment(int by) => start + by; }
            """);
        driver = driver.RunGenerators(compilation);

        var edited = compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText("public class Other;", CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.CSharp14)));
        var result = driver.RunGenerators(edited).GetRunResult().Results.Single(each => each.TrackedSteps.ContainsKey(RemoteCallerGenerator.ReadStep));

        Assert.Equal(2, result.TrackedSteps[RemoteCallerGenerator.ReadStep].Length);
        Assert.All(
            result.TrackedSteps[RemoteCallerGenerator.ReadStep].Concat(result.TrackedOutputSteps.SelectMany(steps => steps.Value)).SelectMany(step => step.Outputs),
            output => Assert.Contains(output.Reason, new[] { IncrementalStepRunReason.Unchanged, IncrementalStepRunReason.Cached }));
    }

    [Fact]
    public void NamesThatLookAlike_DoNotCollide()
    {
        var compiled = CompiledUserCode.From("""
            namespace A.B { public class C { [Remote] public static int M() => 1; [Remote] public static int M_Function() => 1; [Remote] public static int M_Function_Call() => 1; [Remote] public static int Functions() => 1; } }
            namespace A { [Remote] public class B_C { public int M(int options, int owner, int actor, int stop, int a1, int a0, int result) => 1; public int M_Method() => 1; public int Methods() => 1; } }
            namespace A_B { public class C { [Remote] public static int M(int __owner, int __options, int target) => 1; [Remote] public static int owner() => 1; [Remote] public static int Cluster() => 1; } }
            """);

        Assert.Empty(compiled.Findings);
        Assert.Empty(compiled.Problems());
        Assert.Equal(3, compiled.Run.GeneratedTrees.Length);
    }

    [Fact]
    public void InternalTypes_InSignatures_Compile()
    {
        var compiled = CompiledUserCode.From("""
            namespace My;
            internal sealed record Hidden(int A);
            public static class Demo { [Remote] internal static Hidden M(Hidden a, List<Hidden>? b = null) => a; [Remote] public static int N(int a) => a; }
            [Remote] internal sealed class C(Hidden first) { public Hidden M(Hidden a) => a ?? first; public async IAsyncEnumerable<Hidden> S(Hidden[] a) { await Task.Yield(); yield return a[0]; } }
            """);

        Assert.Empty(compiled.Findings);
        Assert.Empty(compiled.Problems());
    }
}
