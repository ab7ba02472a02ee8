using Microsoft.ML.OnnxRuntime;
using ModelMaker;

namespace Serve.Models.Tests;

public sealed class TypesModelTests
{
    private static readonly bool[] Bools = [true, false, true];
    private static readonly string[] Texts = ["", "größer", "日本 \U0001F600"];

    [Fact]
    public void Committed_AllTypes_ReturnedUnchanged()
    {
        using var model = OnnxTestSession.Committed("types");

        using var answer = model.Run(
            ("in_bool", OnnxTestSession.Tensor(Bools, 3)),
            ("in_uint8", OnnxTestSession.Tensor<byte>([0, 1, byte.MaxValue], 3)),
            ("in_uint16", OnnxTestSession.Tensor<ushort>([0, 1, ushort.MaxValue], 3)),
            ("in_uint32", OnnxTestSession.Tensor<uint>([0, 1, uint.MaxValue], 3)),
            ("in_uint64", OnnxTestSession.Tensor<ulong>([0, 1, ulong.MaxValue], 3)),
            ("in_int8", OnnxTestSession.Tensor<sbyte>([sbyte.MinValue, 0, sbyte.MaxValue], 3)),
            ("in_int16", OnnxTestSession.Tensor<short>([short.MinValue, 0, short.MaxValue], 3)),
            ("in_int32", OnnxTestSession.Tensor<int>([int.MinValue, 0, int.MaxValue], 3)),
            ("in_int64", OnnxTestSession.Tensor<long>([long.MinValue, 0, long.MaxValue], 3)),
            ("in_fp16", OnnxTestSession.Tensor<Float16>([(Float16)1.5f, Float16.NaN, Float16.NegativeInfinity], 3)),
            ("in_bf16", OnnxTestSession.Tensor<BFloat16>([(BFloat16)1.5f, BFloat16.NaN, BFloat16.NegativeInfinity], 3)),
            ("in_fp32", OnnxTestSession.Tensor<float>([float.MinValue, float.NaN, float.NegativeInfinity], 3)),
            ("in_fp64", OnnxTestSession.Tensor<double>([double.MaxValue, double.NaN, double.NegativeInfinity], 3)),
            ("in_bytes", OnnxTestSession.Texts(Texts)));

        Assert.Equal(Bools, answer.Values<bool>("out_bool"));
        Assert.Equal([0, 1, byte.MaxValue], answer.Values<byte>("out_uint8"));
        Assert.Equal([0, 1, ushort.MaxValue], answer.Values<ushort>("out_uint16"));
        Assert.Equal([0, 1, uint.MaxValue], answer.Values<uint>("out_uint32"));
        Assert.Equal([0, 1, ulong.MaxValue], answer.Values<ulong>("out_uint64"));
        Assert.Equal([sbyte.MinValue, 0, sbyte.MaxValue], answer.Values<sbyte>("out_int8"));
        Assert.Equal([short.MinValue, 0, short.MaxValue], answer.Values<short>("out_int16"));
        Assert.Equal([int.MinValue, 0, int.MaxValue], answer.Values<int>("out_int32"));
        Assert.Equal([long.MinValue, 0, long.MaxValue], answer.Values<long>("out_int64"));
        Assert.Equal([1.5f, float.NaN, float.NegativeInfinity], answer.Values<Float16>("out_fp16").Select(value => (float)value));
        Assert.Equal([1.5f, float.NaN, float.NegativeInfinity], answer.Values<BFloat16>("out_bf16").Select(value => (float)value));
        Assert.Equal([float.MinValue, float.NaN, float.NegativeInfinity], answer.Values<float>("out_fp32"));
        Assert.Equal([double.MaxValue, double.NaN, double.NegativeInfinity], answer.Values<double>("out_fp64"));
        Assert.Equal(Texts, answer.Texts("out_bytes"));
    }

    [Fact]
    public void Load_Committed_DeclaresEachDatatypeOnce()
    {
        using var model = OnnxTestSession.Committed("types");

        Assert.Equal(14, TypesModel.Types.Count);
        Assert.Equal(
            "in_bool Bool [N]; in_uint8 UInt8 [N]; in_uint16 UInt16 [N]; in_uint32 UInt32 [N]; in_uint64 UInt64 [N]; " +
            "in_int8 Int8 [N]; in_int16 Int16 [N]; in_int32 Int32 [N]; in_int64 Int64 [N]; " +
            "in_fp16 Float16 [N]; in_bf16 BFloat16 [N]; in_fp32 Float [N]; in_fp64 Double [N]; in_bytes String [N]",
            TensorDeclarationFormatter.Of(model.Session.InputNames, model.Session.InputMetadata));
        Assert.Equal(
            TensorDeclarationFormatter.Of(model.Session.InputNames, model.Session.InputMetadata).Replace("in_", "out_", StringComparison.Ordinal),
            TensorDeclarationFormatter.Of(model.Session.OutputNames, model.Session.OutputMetadata));
    }

    [Fact]
    public void Build_OneDatatype_DeclaresOnlyThis()
    {
        using var folder = new TemporaryTestFolder();
        TypesModel.Build("INT16").Save(folder.In("int16.onnx"));
        using var model = OnnxTestSession.Open(folder.In("int16.onnx"));

        using var answer = model.Run(("in_int16", OnnxTestSession.Tensor<short>([-5, 5], 2)));

        Assert.Equal([-5, 5], answer.Values<short>("out_int16"));
    }

    [Fact]
    public void Build_UnknownDatatype_NamesIt() =>
        Assert.Contains("FP8", Assert.Throws<ArgumentException>(() => TypesModel.Build("FP8")).Message, StringComparison.Ordinal);
}
