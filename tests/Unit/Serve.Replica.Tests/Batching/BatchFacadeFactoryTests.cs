using System.Reflection;
using Serve.Replica.Batching;
using Serve.Replica.Definitions;

namespace Serve.Replica.Tests.Batching;

public sealed class BatchFacadeFactoryTests
{
    [Fact]
    public async Task Create_AttributesOfAParameter_AreOnTheItemAsTheyWere()
    {
        var method = Assert.Single(BatchMethodDefinition.Of(typeof(Tagged), []));

        var (facade, entry) = BatchFacadeFactory.Create(method, (int item, CancellationToken stop) => new ValueTask<int>(item + 1));

        var parameter = entry.GetParameters()[0];
        Assert.Equal(("number", typeof(int)), (parameter.Name, parameter.ParameterType));
        var tag = parameter.GetCustomAttribute<TagAttribute>()!;
        Assert.Equal((DayOfWeek.Friday, "note", 7), (tag.Day, tag.Note, tag.Number));
        Assert.Equal(["a", "b"], tag.Names);
        Assert.Equal(4, await (ValueTask<int>)entry.Invoke(facade, [3, CancellationToken.None])!);
    }

    [Fact]
    public async Task Create_TypesThatAreInternal_AreSeen()
    {
        var method = Assert.Single(BatchMethodDefinition.Of(typeof(Inside), []));

        var (facade, entry) = BatchFacadeFactory.Create(method, (Hidden item, CancellationToken stop) => new ValueTask<Hidden>(item with { Number = 2 }));

        Assert.Equal(new Hidden(2), await (ValueTask<Hidden>)entry.Invoke(facade, [new Hidden(1), CancellationToken.None])!);
    }

    internal sealed record Hidden(int Number);

    internal sealed class Inside
    {
        [Batch]
        public Hidden[] Call(Hidden[] items) => items;
    }

    [AttributeUsage(AttributeTargets.Parameter)]
    public sealed class TagAttribute(DayOfWeek day, params string[] names) : Attribute
    {
        public DayOfWeek Day => day;

        public string[] Names => names;

        public string? Note { get; set; }

        public int Number { get; set; }
    }

    public sealed class Tagged
    {
        [Batch]
        public int[] Call([Tag(DayOfWeek.Friday, "a", "b", Note = "note", Number = 7)] int[] number) => number;
    }
}
