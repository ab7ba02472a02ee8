namespace Serve.Generators.Tests;

public sealed class MultiplexedMethodTests
{
    [Fact]
    public void MethodThatLoads_IsNoMemberOfTheHandle()
    {
        var compiled = CompiledUserCode.From("""
            [Deployment]
            public sealed class Zoo(IMultiplexed<object> animals)
            {
                public async Task<int> Call() => (await animals.Get()).GetHashCode();

                [Multiplexed]
                public Task<Animal> Load(string id, CancellationToken stop) => Task.FromResult(new Animal());
            }

            public class Animal;
            """);

        Assert.Empty(compiled.Findings);
        Assert.Contains("Call", compiled.Generated, StringComparison.Ordinal);
        Assert.DoesNotContain("Load", compiled.Generated, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[Multiplexed]")]
    public void MethodThatOverridesOneThatLoads_IsOneAndTheSame(string attribute)
    {
        var compiled = CompiledUserCode.From($$"""
            [Deployment] public class Zoo(IMultiplexed<string> models) : Base { public object Call() => models; {{attribute}} public override string Load(string id) => id; }
            public abstract class Base { [Multiplexed] public abstract string Load(string id); }
            """);

        Assert.Empty(compiled.Findings);
        Assert.DoesNotContain("Load", compiled.Generated, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsWrong_IsSaidWhereItIs()
    {
        var compiled = CompiledUserCode.From("""
            [Deployment] public class A { [Multiplexed] public Task Load(string id) => throw null!; }
            [Deployment] public class B { [Multiplexed] public static string Load(string id) => throw null!; }
            [Deployment] public class C { [Multiplexed(MaxModelsPerReplica = 0)] public string Load(string id) => throw null!; }
            [Deployment] public class D(IMultiplexed<int[]> models) { public object Call() => models; }
            [Deployment] public class E { [Multiplexed] public string One(string id) => throw null!; [Multiplexed] public string Two(string id) => throw null!; }
            [Deployment] public class F(IMultiplexed<object> models) { public object Call() => models; [Multiplexed] public string One(string id) => ""; [Multiplexed] public int[] Two(string id) => []; }
            [Deployment] public class G { [Multiplexed] public string Load(string id, int more) => throw null!; }
            [Deployment] public class H { [Multiplexed] public string Load<T>(string id) => throw null!; }
            [Deployment] public class I { [Multiplexed(MaxModelsPerReplica = -2)] public string Load(string id) => throw null!; }
            [Deployment] public class J(IMultiplexed<int[]> models) { public object Call() => models; [Multiplexed] public Task Load(string id) => throw null!; }
            [Deployment] public class K { [Multiplexed] public string Load(ref string id) => throw null!; }
            [Deployment] public class L { [Multiplexed] public string Load(string id, CancellationToken one, CancellationToken other) => throw null!; }
            [Deployment] public class Fine(IMultiplexed<IDisposable> models) : Base { public object Call() => models; }
            public class Base { [Multiplexed(MaxModelsPerReplica = -1)] private ValueTask<System.IO.Stream> Load(string id) => throw null!; }
            """);

        Assert.Equal(
            [
                "1: Error SERVE030 'A.Load' has [Multiplexed] and must be declared as Task<TModel> Load(string modelId, CancellationToken stop); ValueTask<TModel> and TModel are also possible, and the token is optional",
                "2: Error SERVE030 'B.Load' has [Multiplexed] and must be declared as Task<TModel> Load(string modelId, CancellationToken stop); ValueTask<TModel> and TModel are also possible, and the token is optional",
                "3: Error SERVE031 'C.Load': MaxModelsPerReplica must be at least 1, or -1 for no limit, but was 0",
                "4: Error SERVE032 'D' takes an IMultiplexed<int[]>, but has no method that loads it: [Multiplexed] Task<int[]> Load(string modelId, CancellationToken stop)",
                "5: Error SERVE033 'E.Two' and 'E.One' both load string, so IMultiplexed<string> would be ambiguous",
                "6: Error SERVE032 'F' takes an IMultiplexed<object>, but several of its [Multiplexed] methods load one; request a more specific type",
                "7: Error SERVE030 'G.Load' has [Multiplexed] and must be declared as Task<TModel> Load(string modelId, CancellationToken stop); ValueTask<TModel> and TModel are also possible, and the token is optional",
                "8: Error SERVE030 'H.Load' has [Multiplexed] and must be declared as Task<TModel> Load(string modelId, CancellationToken stop); ValueTask<TModel> and TModel are also possible, and the token is optional",
                "9: Error SERVE031 'I.Load': MaxModelsPerReplica must be at least 1, or -1 for no limit, but was -2",
                "10: Error SERVE030 'J.Load' has [Multiplexed] and must be declared as Task<TModel> Load(string modelId, CancellationToken stop); ValueTask<TModel> and TModel are also possible, and the token is optional",
                "11: Error SERVE030 'K.Load' has [Multiplexed] and must be declared as Task<TModel> Load(string modelId, CancellationToken stop); ValueTask<TModel> and TModel are also possible, and the token is optional",
                "12: Error SERVE030 'L.Load' has [Multiplexed] and must be declared as Task<TModel> Load(string modelId, CancellationToken stop); ValueTask<TModel> and TModel are also possible, and the token is optional",
            ],
            compiled.Findings);
    }
}
