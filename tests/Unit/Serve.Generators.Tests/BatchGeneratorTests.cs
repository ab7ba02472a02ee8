namespace Serve.Generators.Tests;

public sealed class BatchGeneratorTests
{
    private const string Models = """
        public sealed record Image(int Size);

        public abstract class Declared
        {
            [Batch(SizeMethod = "SizeOf")]
            public abstract ICollection<string> Inherited(IList<string> a, ICollection<int> b, IReadOnlyCollection<int> c);

            private int SizeOf(string a, int b, int c) => b;
        }

        [Deployment]
        public sealed class Models : Declared
        {
            public override ICollection<string> Inherited(IList<string> a, ICollection<int> b, IReadOnlyCollection<int> c) => throw new Exception("never by a caller");

            [Batch(MaxBatchSize = 32, BatchWaitTimeout = "5ms", SizeMethod = nameof(SizeOf))]
            public Task<string[]> Classify(IReadOnlyList<Image> images) => throw new Exception("never by a caller");

            [Batch(SizeMethod = "Both")]
            public BatchResult<int?>[] Pair(List<int> left, string?[] right, CancellationToken stop) => throw new Exception("never by a caller");

            [Batch]
            public IAsyncEnumerable<IReadOnlyList<BatchResult<int>>> Count(IEnumerable<int> from) => throw new Exception("never by a caller");

            [Batch]
            public ValueTask<List<int>> Five(int[] a, int[] b, int[] c, int[] d, int[] e) => throw new Exception("never by a caller");

            private static int SizeOf(Image image) => image.Size;
            internal int Both(int left, string? right) => left;
        }

        """;

    [Fact]
    public async Task Handle_OfABatchedMethod_TakesAnItemAndNeverCallsTheMethod()
    {
        var target = await CompiledUserCode.From(Models + """
            public static class Test
            {
                public static async Task Main(Serve.Calls.ICallTarget target)
                {
                    var models = new DeploymentHandle<Models>(target, "Models");
                    string label = await models.Classify.Remote(new Image(3));
                    string later = await models.Classify.Options(multiplexedModelId: "m").Remote(new Image(4));
                    int? pair = await models.Pair.Remote(1, null);
                    int five = await models.Five.Remote(1, 2, 3, 4, 5);
                    string inherited = await models.Inherited.Remote("a", 2, 3);
                    await foreach (int n in models.Count.Stream(7))
                        throw new Exception($"{n}");
                }
            }
            """).RunAsync("Models");

        Assert.Equal(
            ["named Classify(Image { Size = 3 })", "named Classify(Image { Size = 4 })", "named Pair(1, null)", "named Five(1, 2, 3, 4, 5)", "named Inherited(a, 2, 3)", "named Count(7)"],
            target.Calls);
    }

    [Fact]
    public void Methods_OfEveryShape_AreFine() => Assert.Empty(CompiledUserCode.From(Models).Findings);

    [Fact]
    public async Task Handle_OfWhatGathersCalls_HandsItTheItemUnboxed()
    {
        await CompiledUserCode.From(Models + """
            public sealed class Taker : Serve.Calls.ICallTarget, Serve.Calls.IBatched<Image, string>, Serve.Calls.IBatched<int, IAsyncEnumerable<int>>
            {
                public ValueTask<string> InvokeAsync(Image item, CancellationToken stop) => new($"size {item.Size}");

                public ValueTask<IAsyncEnumerable<int>> InvokeAsync(int item, CancellationToken stop) => new(Two(item));

                public ValueTask<TResult> InvokeAsync<TResult>(Serve.Calls.MethodCall<TResult> call, Serve.Calls.CallContext context, CancellationToken stop) =>
                    call.TryInvoke(this, stop, out var result) ? result : throw new Exception("not typed");

                public async IAsyncEnumerable<TItem> StreamAsync<TItem>(
                    Serve.Calls.MethodCall<IAsyncEnumerable<TItem>> call, Serve.Calls.CallContext context, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
                {
                    await foreach (var item in await InvokeAsync(call, context, stop))
                        yield return item;
                }

                private static async IAsyncEnumerable<int> Two(int item) { await Task.Yield(); yield return item; yield return item + 1; }
            }

            public static class Test
            {
                public static async Task Main(Serve.Calls.ICallTarget target)
                {
                    var models = new DeploymentHandle<Models>(new Taker(), "Models");
                    if (await models.Classify.Remote(new Image(3)) != "size 3")
                        throw new Exception("item");
                    List<int> items = [];
                    await foreach (var n in models.Count.Stream(7))
                        items.Add(n);
                    if (items is not [7, 8])
                        throw new Exception("stream");
                }
            }
            """).RunAsync("Models");
    }

    [Fact]
    public void Mistakes_AreFoundWhereTheyStand()
    {
        var compiled = CompiledUserCode.From("""
            [Deployment]
            public class Wrong
            {
                [Batch] public Task<int[]> NoList(int a) => null!;
                [Batch] public Task<int[]> Nothing(CancellationToken stop) => null!;
                [Batch] public Task<int> One(int[] a) => null!;
                [Batch] public Task NoResult(int[] a) => null!;
                [Batch] public IAsyncEnumerable<int[]> Bare(int[] a) => null!;
                [Batch] public IEnumerable<int> Lazy(int[] a) => null!;
                [Batch(MaxBatchSize = 0, MaxConcurrentBatches = -1, BatchWaitTimeout = "soon", SizeMethod = "Nope")] public int[] Settings(int[] a) => a;
                [Batch(SizeMethod = nameof(Length))] public int[] Size(int[] a) => a;
                private int Length(string text) => text.Length;
                [Batch] public int[] Eight(int[] a, int[] b, int[] c, int[] d, int[] e, int[] f, int[] g, int[] h) => a;
                [Batch] public int[] Table(int[,] a) => null!;
                [Batch(SizeMethod = nameof(Text))] public int[] NoNumber(int[] a) => a;
                private string Text(int a) => "";
                [Batch(SizeMethod = nameof(Two))] public int[] MoreThanIt(int[] a) => a;
                private int Two(int a, int b) => a;
                [Batch(SizeMethod = nameof(Any))] public int[] Generic(int[] a) => a;
                private int Any<T>(int a) => a;
                [Batch(SizeMethod = nameof(In))] public int[] ByReference(int[] a) => a;
                private int In(in int a) => a;
                [Batch] private int[] Hidden(int[] a) => a;
                [Batch] public static int[] Static(int[] a) => a;
                [Batch] public void CheckHealth() { }
            }
            """);

        const string Rule = "; it must take one list per argument of its callers and return an array or list with one result per item, a task of one, or IAsyncEnumerable<BatchResult<T>[]> to stream";
        Assert.Equal(
            [
                "4: Error SERVE008 'Wrong.NoList' has [Batch] and takes 'a', which is not a list" + Rule,
                "5: Error SERVE008 'Wrong.Nothing' has [Batch] and takes 0 lists" + Rule,
                "6: Error SERVE008 'Wrong.One' has [Batch] and returns Task<int>" + Rule,
                "7: Error SERVE008 'Wrong.NoResult' has [Batch] and returns Task" + Rule,
                "8: Error SERVE008 'Wrong.Bare' has [Batch] and returns IAsyncEnumerable<int[]>" + Rule,
                "9: Error SERVE008 'Wrong.Lazy' has [Batch] and returns IEnumerable<int>" + Rule,
                "10: Error SERVE009 [Batch] of 'Wrong.Settings': MaxBatchSize must be at least 1, but was 0",
                "10: Error SERVE009 [Batch] of 'Wrong.Settings': MaxConcurrentBatches must be at least 1, but was -1",
                "10: Error SERVE009 [Batch] of 'Wrong.Settings': BatchWaitTimeout must be a number with a unit, like \"5ms\", \"0.5s\" or \"200us\", but was \"soon\"",
                "10: Error SERVE009 [Batch] of 'Wrong.Settings': the class has no method int Nope(int)",
                "11: Error SERVE009 [Batch] of 'Wrong.Size': the class has no method int Length(int)",
                "13: Error SERVE008 'Wrong.Eight' has [Batch] and takes 8 lists" + Rule,
                "14: Error SERVE008 'Wrong.Table' has [Batch] and takes 'a', which is not a list" + Rule,
                "15: Error SERVE009 [Batch] of 'Wrong.NoNumber': the class has no method int Text(int)",
                "17: Error SERVE009 [Batch] of 'Wrong.MoreThanIt': the class has no method int Two(int)",
                "19: Error SERVE009 [Batch] of 'Wrong.Generic': the class has no method int Any(int)",
                "21: Error SERVE009 [Batch] of 'Wrong.ByReference': the class has no method int In(int)",
                "23: Error SERVE009 [Batch] of 'Wrong.Hidden': the method must be a public instance method to be called",
                "24: Error SERVE009 [Batch] of 'Wrong.Static': the method must be a public instance method to be called",
                "25: Error SERVE009 [Batch] of 'Wrong.CheckHealth': the method is a hook, which only the platform calls",
            ],
            compiled.Findings);
    }
}
