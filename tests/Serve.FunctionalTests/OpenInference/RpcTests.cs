using Grpc.Core;
using Inference;

namespace Serve.FunctionalTests.OpenInference;

/// <summary>The protocol's gRPC specification, requirement by requirement.</summary>
[Collection(InferenceCollection.Name)]
public sealed class RpcTests(InferenceNode node)
{
    [Fact]
    public async Task ServerLive_True() => Assert.True((await node.Rpc.ServerLiveAsync(new())).Live);

    [Fact]
    public async Task ServerReady_True() => Assert.True((await node.Rpc.ServerReadyAsync(new())).Ready);

    [Fact]
    public async Task ServerMetadata_NameVersionAndExtensions()
    {
        var answer = await node.Rpc.ServerMetadataAsync(new());
        Assert.Equal("serve", answer.Name);
        Assert.NotEmpty(answer.Version);
        Assert.Equal(["binary_tensor_data", "model_repository", "statistics"], answer.Extensions);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    public async Task ModelReady_True(string version) => Assert.True((await node.Rpc.ModelReadyAsync(new() { Name = "digits", Version = version })).Ready);

    [Fact]
    public async Task ModelMetadata_TensorsVersionsAndPlatform()
    {
        var answer = await node.Rpc.ModelMetadataAsync(new() { Name = "digits" });
        Assert.Equal(("digits", "onnx_onnxv1", "1"), (answer.Name, answer.Platform, string.Join(",", answer.Versions)));
        Assert.Equal(("pixels", "FP32", "-1,64"), (answer.Inputs.Single().Name, answer.Inputs.Single().Datatype, string.Join(",", answer.Inputs.Single().Shape)));
        Assert.Equal(["label", "probabilities"], answer.Outputs.Select(output => output.Name));
    }

    [Theory]
    [InlineData("nothing", "", "There is no model 'nothing'")]
    [InlineData("digits", "9", "The model has no version '9'; it has 1.")]
    public async Task Unknown_NotFound(string model, string version, string expected)
    {
        await FailsAsync(StatusCode.NotFound, expected, () => node.Rpc.ModelReadyAsync(new() { Name = model, Version = version }));
        await FailsAsync(StatusCode.NotFound, expected, () => node.Rpc.ModelMetadataAsync(new() { Name = model, Version = version }));
        await FailsAsync(StatusCode.NotFound, expected, () => node.Rpc.ModelInferAsync(new(Samples.Digits(version)) { ModelName = model }));
    }

    [Fact]
    public async Task ModelInfer_TypedContents_TypedOutputs()
    {
        var answer = await node.Rpc.ModelInferAsync(Samples.Digits());
        Assert.Equal(("digits", "1", "7"), (answer.ModelName, answer.ModelVersion, answer.Id));
        Assert.Equal(["label", "probabilities"], answer.Outputs.Select(output => output.Name));
        Assert.Equal([3L], answer.Outputs[0].Contents.Int64Contents);
        Assert.Equal([1L, 10L], answer.Outputs[1].Shape);
        Assert.Equal(10, answer.Outputs[1].Contents.Fp32Contents.Count);
        Assert.Empty(answer.RawOutputContents);
    }

    [Fact]
    public async Task ModelInfer_EveryDatatypeRaw_ComesBackRaw()
    {
        var answer = await node.Rpc.ModelInferAsync(Samples.Raw());
        Assert.Equal("all", answer.Id);
        Assert.Equal(answer.Outputs.Count, answer.RawOutputContents.Count);
        foreach (var (output, raw) in answer.Outputs.Zip(answer.RawOutputContents))
        {
            Assert.Null(output.Contents);
            Assert.Equal(Samples.All.Single(sample => sample.Datatype == output.Datatype).Bytes, raw.ToByteArray());
        }
    }

    [Fact]
    public async Task ModelInfer_SmallFloatsTyped_InvalidArgument()
    {
        var request = Samples.Raw();
        request.RawInputContents.Clear();
        foreach (var (input, sample) in request.Inputs.Zip(Samples.All))
            input.Contents = Samples.Typed(sample).Contents;
        await FailsAsync(StatusCode.InvalidArgument, "input 'in_fp16': FP16 has no typed contents; send raw_input_contents.", () => node.Rpc.ModelInferAsync(request));
    }

    [Fact]
    public async Task ModelInfer_RawAndTyped_InvalidArgument()
    {
        var request = Samples.Raw();
        request.Inputs[0].Contents = new() { BoolContents = { true, false } };
        await FailsAsync(StatusCode.InvalidArgument, "only one of the two may be used", () => node.Rpc.ModelInferAsync(request));
    }

    [Fact]
    public async Task ModelInfer_RawForSomeInputs_InvalidArgument()
    {
        var request = Samples.Raw();
        request.RawInputContents.RemoveAt(0);
        await FailsAsync(StatusCode.InvalidArgument, "raw_input_contents has 13 entries for 14 inputs", () => node.Rpc.ModelInferAsync(request));
    }

    [Fact]
    public async Task ModelInfer_WrongSize_InvalidArgumentNamesTheTensor()
    {
        var typed = Samples.Digits();
        typed.Inputs[0].Contents.Fp32Contents.RemoveAt(0);
        await FailsAsync(StatusCode.InvalidArgument, "input 'pixels': FP32[1,64] has 64 elements; its field of contents has 63.", () => node.Rpc.ModelInferAsync(typed));
        var raw = Samples.Raw();
        raw.RawInputContents[2] = Google.Protobuf.ByteString.CopyFrom(1, 2, 3);
        await FailsAsync(StatusCode.InvalidArgument, "input 'in_uint16': UINT16[2] takes 4 bytes; 3 came.", () => node.Rpc.ModelInferAsync(raw));
    }

    [Fact]
    public async Task ModelInfer_RequestedOutputs_OnlyThose()
    {
        var request = Samples.Digits();
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "probabilities" });
        Assert.Equal("probabilities", Assert.Single((await node.Rpc.ModelInferAsync(request)).Outputs).Name);
    }

    [Fact]
    public async Task ModelInfer_Compressed_IsRead()
    {
        var metadata = new Metadata { { "grpc-internal-encoding-request", "gzip" } };
        var answer = await node.Rpc.ModelInferAsync(Samples.Digits(), metadata);
        Assert.Equal([3L], answer.Outputs[0].Contents.Int64Contents);
    }

    [Fact]
    public async Task ModelStreamInfer_AnswersInOrder_AnErrorDoesNotEndIt()
    {
        using var call = node.Rpc.ModelStreamInfer();
        var wrong = Samples.Digits();
        wrong.Inputs[0].Name = "wrong";
        foreach (var request in new[] { Samples.Digits(), wrong, Samples.Digits() })
        {
            await call.RequestStream.WriteAsync(request);
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            if (request == wrong)
                Assert.Contains("The model has no input 'wrong'", call.ResponseStream.Current.ErrorMessage, StringComparison.Ordinal);
            else
                Assert.Equal(3, BitConverter.ToInt64(call.ResponseStream.Current.InferResponse.RawOutputContents[0].Span));
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    private static async Task FailsAsync<T>(StatusCode expected, string text, Func<AsyncUnaryCall<T>> call)
    {
        var error = await Assert.ThrowsAsync<RpcException>(async () => await call());
        Assert.True(error.StatusCode == expected, error.ToString());
        Assert.Contains(text, error.Status.Detail, StringComparison.Ordinal);
    }
}
