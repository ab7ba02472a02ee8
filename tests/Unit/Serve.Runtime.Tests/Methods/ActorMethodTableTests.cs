using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Serve.Runtime.Methods;

namespace Serve.Runtime.Tests.Methods;

public sealed class ActorMethodTableTests
{
    private readonly ActorMethodTable _table = ActorMethodTable.For(typeof(Sample));

    [Fact]
    public void Names_OfAClass_AreItsPublicMethodsAndThoseOfItsBases() =>
        Assert.Equal(
            ["Add", "Count", "Enums", "Inherited", "Keep", "Later", "LaterValue", "LaterVoid", "Nothing", "Optional", "Read", "Stop", "Throw", "Work"],
            _table.Names);

    [Fact]
    public void Without_Names_LeavesThemOut() => Assert.DoesNotContain("Add", _table.Without("Add").Names);

    [Theory]
    [InlineData("Add", "[1,2]", "3")]
    [InlineData("Later", "[4]", "4")]
    [InlineData("LaterValue", "[4]", "4")]
    [InlineData("LaterVoid", "[]", "")]
    [InlineData("Nothing", "[]", "")]
    [InlineData("Optional", "[]", "\"none 5\"")]
    [InlineData("Optional", "[\"x\"]", "\"x 5\"")]
    [InlineData("Enums", "[]", "1")]
    [InlineData("Read", "[{\"name\":\"a\",\"size\":2}]", "\"a2\"")]
    [InlineData("Stop", "[1]", "\"1 True\"")]
    [InlineData("Inherited", "", "\"base\"")]
    [InlineData("Keep", "[{\"any\":[1]}]", "{\"any\":[1]}")]
    public async Task Invoke_FromJson_AnswersJson(string method, string arguments, string result)
    {
        using var source = new CancellationTokenSource();
        var bound = _table.Bind(method, new JsonCallArguments(Encoding.UTF8.GetBytes(arguments)));
        var value = await bound.Method.InvokeAsync(new Sample(), bound.Arguments, source.Token);
        Assert.Equal(result, Encoding.UTF8.GetString(MethodResultConverter.Convert<JsonResultText>(value, bound.Method, ServeJson.Calls).Utf8.Span));
    }

    [Fact]
    public async Task Invoke_SameType_PassesByReference()
    {
        var kept = new object();
        Assert.Same(kept, await InvokeAsync("Keep", kept));
    }

    [Fact]
    public async Task Invoke_OtherTypes_AreConverted()
    {
        Assert.Equal(7, await InvokeAsync("Add", 3L, 4.0));
        Assert.Equal("b3", await InvokeAsync("Read", new { Name = "b", Size = 3 }));
        Assert.Equal("c4", await InvokeAsync("Read", JsonSerializer.SerializeToElement(new { name = "c", size = 4 })));
    }

    [Theory]
    [InlineData("add", "[1,2]", "Sample has no method 'add'. Did you mean 'Add'? Methods: Add, Count")]
    [InlineData("Add", "[1]", "Sample.Add takes (int left, int right); 1 argument(s) were given.")]
    [InlineData("Optional", "[\"a\",1,2]", "takes (string? name?, int size?); 3")]
    [InlineData("Add", "[1,\"x\"]", "Sample.Add: argument 2, 'right', must be int, but was the JSON \"x\"")]
    [InlineData("Add", "[null,1]", "argument 1, 'left', must be int, but was the JSON null,1")]
    [InlineData("Add", "{}", "Expected the arguments of the call as a JSON array.")]
    [InlineData("Add", "[1,", "the text is not valid JSON")]
    [InlineData("Add", "[1,2] x", "the text is not valid JSON")]
    public void Bind_WrongCall_SaysWhatWasExpected(string method, string arguments, string says)
    {
        var thrown = Assert.Throws<BadInputException>(() => _table.Bind(method, new JsonCallArguments(Encoding.UTF8.GetBytes(arguments))));
        Assert.Contains(says.Replace("string? name?", "string name?", StringComparison.Ordinal), thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bind_UnconvertibleObject_NamesItsType()
    {
        var thrown = Assert.Throws<BadInputException>(() => _table.Bind("Add", new ObjectCallArguments([new List<int>(), 1])));
        Assert.Contains("argument 1, 'left', must be int, but was List<int>", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void To_WrongResultType_SaysWhatCame()
    {
        var bound = _table.Bind("Read", new ObjectCallArguments([new Thing("a", 1)]));
        var thrown = Assert.Throws<BadInputException>(() => MethodResultConverter.Convert<int>("a1", bound.Method, ServeJson.Calls));
        Assert.Contains("Sample.Read returned string, which cannot be converted to int", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TraitsOf_BlockingMethod_SaysSo()
    {
        Assert.Equal(ActorMethodTraits.Blocking, _table.TraitsOf("Work"));
        Assert.Equal(ActorMethodTraits.TakesToken, _table.TraitsOf("Stop"));
    }

    [Fact]
    public async Task Items_Stream_ReadsBoxed()
    {
        var bound = _table.Bind("Count", new ObjectCallArguments([3]));
        var stream = await bound.Method.InvokeAsync(new Sample(), bound.Arguments, CancellationToken.None);
        var items = new List<object?>();
        await foreach (var item in bound.Method.Items!(stream!))
            items.Add(item);
        Assert.Equal([0, 1, 2], items);
    }

    private ValueTask<object?> InvokeAsync(string method, params object?[] arguments)
    {
        var bound = _table.Bind(method, new ObjectCallArguments(arguments));
        return bound.Method.InvokeAsync(new Sample(), bound.Arguments, CancellationToken.None);
    }

    public record Thing(string Name, int Size);

    public class Base
    {
        public string Inherited() => "base";
    }

    public sealed class Sample : Base, IDisposable, IAsyncDisposable
    {
        public int Property { get; set; }

        public int Add(int left, int right) => left + right;

        public Task<int> Later(int value) => Task.FromResult(value);

        public async ValueTask<int> LaterValue(int value)
        {
            await Task.Yield();
            return value;
        }

        public async Task LaterVoid() => await Task.Yield();

        public void Nothing()
        {
        }

        public string Optional(string? name = null, int size = 5) => $"{name ?? "none"} {size}";

        public int Enums(DayOfWeek day = DayOfWeek.Monday) => (int)day;

        public string Read(Thing thing) => thing.Name + thing.Size;

        public string Stop(int value, CancellationToken token) => $"{value} {token.CanBeCanceled}";

        public object Keep(object value) => value;

        [Blocking]
        public void Work()
        {
        }

        public void Throw() => throw new InvalidOperationException("thrown");

        public async IAsyncEnumerable<int> Count(int to, [EnumeratorCancellation] CancellationToken token = default)
        {
            for (var i = 0; i < to; i++)
            {
                await Task.Yield();
                token.ThrowIfCancellationRequested();
                yield return i;
            }
        }

        public T Generic<T>(T value) => value;

        public override string ToString() => "sample";

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => default;
    }
}
